import type { ModelEntry, PlanResult } from '../../server/contract/protocol.js';
import type { Localization } from '../text/localization.js';
import { bytesText, parametersText } from '../text/quantities.js';

/** A line of the list of models. */
export interface ModelItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

/** What a model will take in memory, or why that cannot be told; undefined while it is not known. */
export type ModelPlan = { readonly bytes: PlanResult['bytes'] } | { readonly refusal: string } | undefined;

/** A model in the list: what it is, whether it remembers well, and what it takes. */
export function modelItem(entry: ModelEntry, isChosen: boolean, plan: ModelPlan, l10n: Localization): ModelItem {
  const icon = isChosen ? '$(check) ' : '';
  if ('problem' in entry) {
    return {
      label: `${icon}$(warning) ${entry.name}`,
      description: l10n.t('cannot be used'),
      detail: entry.problem,
    };
  }
  const facts = [
    entry.family,
    l10n.t('{0} parameters', parametersText(entry.parameters, l10n)),
    bytesText(entry.storedBytes, l10n),
  ];
  const heads = entry.heads
    ? headsText(entry.headLabels, l10n)
    : l10n.t('no retaining heads: a training-free policy forgets less well');
  return {
    label: `${icon}${entry.name}`,
    description: facts.join(' · '),
    detail: plan === undefined ? heads : `${heads} · ${planText(plan, l10n)}`,
  };
}

function headsText(labels: string | undefined, l10n: Localization): string {
  return labels === undefined
    ? l10n.t('trained retaining heads')
    : l10n.t('retaining heads, trained on {0} labels', labels);
}

/** `takes 312 MB of 12 GB that are free`, or why it cannot run. */
export function planText(plan: NonNullable<ModelPlan>, l10n: Localization): string {
  if ('refusal' in plan) return plan.refusal;
  const { peak, free } = plan.bytes;
  return l10n.t('takes {0} of {1} that are free', bytesText(peak, l10n), bytesText(free, l10n));
}
