import type { TrainingEstimate, TrainingPhase } from '../contract/training.js';
import type { ErrorMessage } from '../engine/worker-messages.js';
import type { HeadQuality } from './evaluation.js';
import type { TrainedHeads, TrainingBegin, TrainingSettings } from './train-heads.js';
import type { TrainingProgress } from './training-steps.js';

/** What the process that trains is told. The first message says what it is for. */
export type ToTraining =
  | { readonly kind: 'train' | 'estimate'; readonly settings: TrainingSettings }
  /** End soon; a training keeps where it stands. */
  | { readonly kind: 'pause' };

/** What it tells on its way. */
export type TrainingEvent =
  | { readonly kind: 'begin'; readonly begin: TrainingBegin }
  | { readonly kind: 'phase'; readonly phase: TrainingPhase }
  | { readonly kind: 'progress'; readonly progress: TrainingProgress }
  | { readonly kind: 'quality'; readonly quality: HeadQuality; readonly step: number };

/** Its last message. */
export type TrainingOutcome =
  | { readonly kind: 'trained'; readonly trained: TrainedHeads }
  | { readonly kind: 'estimated'; readonly estimate: TrainingEstimate }
  | { readonly kind: 'failed'; readonly error: ErrorMessage };

export type FromTraining = TrainingEvent | TrainingOutcome;
