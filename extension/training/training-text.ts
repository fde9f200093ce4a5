import type { CoursePoint, TrainingPlanResult, TrainingStatus } from '../../server/contract/protocol.js';
import type { Localization } from '../text/localization.js';
import { bytesText, countText, durationText, percentText } from '../text/quantities.js';

/** Share of the steps that were made, 0..1. */
export function shareTrained({ step, steps }: Pick<TrainingStatus, 'step' | 'steps'>): number {
  return steps === 0 ? 1 : Math.min(1, step / steps);
}

/** `0.257` in the user's way of writing. */
export function overlapText(overlap: number, { language }: Localization): string {
  return overlap.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 3 });
}

/** `step 120 of 3,000 · loss 1.23 · 20 min 05 s left` */
export function trainingText(training: TrainingStatus, l10n: Localization): string {
  const { phase, step, steps, loss, secondsLeft } = training;
  if (phase === 'loading') return l10n.t('loading the model');
  const parts = [l10n.t('step {0} of {1}', countText(step, l10n), countText(steps, l10n))];
  if (loss !== undefined) {
    parts.push(l10n.t('loss {0}', loss.toLocaleString(l10n.language, { maximumFractionDigits: 2 })));
  }
  if (secondsLeft !== undefined && step < steps) parts.push(l10n.t('{0} left', durationText(secondsLeft)));
  return parts.join(' · ');
}

/** `training 12 % · 20 min 05 s`, for the status bar. */
export function shortTrainingText(training: TrainingStatus, l10n: Localization): string {
  const text = l10n.t('training {0}', percentText(shareTrained(training)));
  return training.secondsLeft === undefined ? text : `${text} · ${durationText(training.secondsLeft)}`;
}

/** `3,000 steps on samples of 512 tokens, about 58 min 20 s` */
export function workText({ steps, tokens, secondsLeft }: TrainingPlanResult, l10n: Localization): string {
  return l10n.t(
    '{0} steps on samples of {1} tokens, about {2}',
    countText(steps, l10n),
    countText(tokens, l10n),
    durationText(secondsLeft),
  );
}

/** `1,200 files to train on, 130 to measure on; takes 260 MB of memory` */
export function needsText({ trainingFiles, heldOutFiles, peakBytes }: TrainingPlanResult, l10n: Localization): string {
  return l10n.t(
    '{0} files to train on, {1} to measure on; takes {2} of memory',
    countText(trainingFiles, l10n),
    countText(heldOutFiles, l10n),
    bytesText(peakBytes, l10n),
  );
}

/** What came of a training: `Heads for nano are trained. Of the units …` */
export function resultText(model: string, course: readonly CoursePoint[], l10n: Localization): string {
  const [before, after] = [course[0], course.at(-1)];
  const trained = l10n.t('Retaining heads for {0} are trained.', model);
  if (before === undefined || after === undefined) return trained;
  const overlap = l10n.t(
    'They find a share of {0} of the tenth that matters most; before it was {1}, and chance is {2}.',
    overlapText(after.heldOut.overlap, l10n),
    overlapText(before.heldOut.overlap, l10n),
    overlapText(0.1, l10n),
  );
  return `${trained} ${overlap}`;
}
