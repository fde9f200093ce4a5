import type { Localization } from '../text/localization.js';
import type { ProcessEnd, Verdict } from './crash-policy.js';

/** Why the sidecar ended and what follows from it, in sentences for people. */
export function describeEnd(end: ProcessEnd, verdict: Verdict, l10n: Localization): string {
  return `${describeCause(end, verdict, l10n)} ${describeConsequence(verdict, l10n)}`;
}

function describeCause(end: ProcessEnd, verdict: Verdict, l10n: Localization): string {
  if (verdict.outOfMemory) return l10n.t('The sidecar ran out of memory.');
  if (end.signal !== null) return l10n.t('The sidecar was ended by {0}.', end.signal);
  const exitCode = end.exitCode ?? -1;
  if (exitCode < 0) {
    const reason = end.lastOutput.at(-1) ?? String(exitCode);
    return l10n.t('The sidecar could not be started ({0}).', reason.replace(/\.$/, ''));
  }
  return l10n.t('The sidecar ended with exit code {0}.', exitCode);
}

function describeConsequence({ action, outOfMemory }: Verdict, l10n: Localization): string {
  if (action === 'restart') {
    return outOfMemory
      ? l10n.t('It is started again without a model. Choose a smaller model or budget before you go on.')
      : l10n.t('It is started again; what had been read is kept.');
  }
  return outOfMemory
    ? l10n.t('It stays stopped, because that would happen again. Choose a smaller model or budget, then restart it.')
    : l10n.t('It ended twice within a minute and stays stopped. The log may tell why.');
}
