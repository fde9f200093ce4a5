import { share, wholeNumber, word } from './kinds.js';
import type { Chosen, Given, SettingTable } from './setting.js';
import { headInputs, labelKinds, processorPrecisions, trainingAnswers } from './words.js';

/**
 * How heads are trained: everything that is chosen with a number or a word. Steps, rate and the rest are as published, but
 * for the labels, of which docs/figures/quality.md tells what is answered by each.
 */
export const trainingSettings = {
  input: { kind: word(headInputs), default: 'qkv', about: 'what the heads read', option: '--input <name>' },
  labels: { kind: word(labelKinds), default: 'contribution', about: 'what they learn', option: '--labels <name>' },
  answers: {
    kind: word(trainingAnswers),
    default: 'source',
    about: 'quoted from the source, or given by the model itself',
    option: '--answers <name>',
  },
  /** d_R */
  width: {
    kind: wholeNumber(1),
    default: 256,
    about: 'width between the two layers of a head',
    option: '--width <n>',
  },
  steps: {
    kind: wholeNumber(1),
    default: 3000,
    about: 'training steps, each on a sample of its own',
    option: '--steps <n>',
  },
  warmup: {
    kind: wholeNumber(0),
    otherwise: 'a tenth',
    about: 'steps over which the learning rate rises',
    option: '--warmup <n>',
  },
  rate: { kind: share, default: 5e-4, about: 'highest learning rate', option: '--rate <x>' },
  tokens: {
    kind: wholeNumber(1),
    otherwise: "half of the model's window, at most 8,192",
    about: "tokens of a sample's text",
    option: '--tokens <n>',
  },
  questions: { kind: wholeNumber(1), default: 12, about: 'questions about each sample', option: '--questions <n>' },
  seed: { kind: wholeNumber(0), default: 0, about: 'seed of the samples and the first weights', option: '--seed <n>' },
  precision: {
    kind: word(processorPrecisions),
    otherwise: 'as it reads repositories on the processor',
    about: "the model's weights while running",
    option: '--precision <name>',
  },
  threads: { kind: wholeNumber(1), otherwise: 'all cores', about: 'threads of the model', option: '--threads <n>' },
} as const satisfies SettingTable;

export type GivenTrainingOptions = Given<typeof trainingSettings>;

/** How heads are trained, with everything filled in but for tokens and precision, which the model decides. */
export interface TrainingOptions extends Chosen<typeof trainingSettings> {
  readonly warmup: number;
  readonly threads: number;
}

/**
 * What is being done. `label`: the model reads a sample and says what its units are worth; `learn`: the heads make their
 * step; `evaluate`: they are measured on samples that are not trained on.
 */
export type TrainingPhase = 'label' | 'learn' | 'evaluate';

/** A training that runs. */
export interface TrainingStatus {
  /** The model's name, and the file that its heads are written to. */
  readonly model: string;
  readonly out: string;
  /** `loading`: the model is loaded and files are found. */
  readonly phase: 'loading' | TrainingPhase;
  /** Steps made, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** SmoothL1 of the last step. */
  readonly loss?: number | undefined;
  /** Share of the true top tenth that the heads find on samples held out, as last measured; chance is 0.1. */
  readonly overlap?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

/** A training: what is trained on what, and where the heads go. */
export interface TrainParams {
  /** A name that `locret/models` lists, or an absolute folder. Default: the chosen model. */
  readonly model?: string | undefined;
  /** Absolute folders whose source files are trained on; a tenth of these is held out. */
  readonly repositories: readonly string[];
  /**
   * An absolute file (safetensors). Default: beside the model, or where heads are kept if that folder cannot be written
   * to, or belongs to the program.
   */
  readonly out?: string | undefined;
  /** What is left out is as `locret train` has it. */
  readonly options?: GivenTrainingOptions | undefined;
  /** Begin anew although a paused training could go on. */
  readonly fresh?: boolean | undefined;
}

/** A training that is paused beside the file that heads are to be written to. */
export interface PausedBeside {
  readonly step: number;
  readonly steps: number;
  /** Whether it is this one: then it goes on there. Else it is given up when this one begins anew. */
  readonly isThis: boolean;
}

/** What is known of a training before it begins. */
export interface TrainingEstimate {
  readonly trainingFiles: number;
  readonly heldOutFiles: number;
  /** Tokens of a sample's text. */
  readonly tokens: number;
  readonly steps: number;
  /** Of one step, as measured. */
  readonly secondsPerStep: number;
  /** What is left takes about so long. */
  readonly secondsLeft: number;
  /** Bytes of memory that it takes, about. */
  readonly peakBytes: number;
  readonly paused?: PausedBeside | undefined;
}

export interface TrainingPlanResult extends TrainingEstimate {
  readonly model: string;
  readonly out: string;
  /** True when there are heads in that file, which will be replaced. */
  readonly replaces: boolean;
}

/** What is told of heads at one moment. */
export interface Goodness {
  /** SmoothL1, a mean over samples, layers, KV heads and tokens. */
  readonly regression: number;
  /** Share of the true top tenth that is found, a mean; chance is 0.1. */
  readonly overlap: number;
}

/** A point of a training's course. */
export interface CoursePoint {
  /** Steps made. */
  readonly step: number;
  /** Means over the steps since the point before; undefined at the beginning. */
  readonly learned?: Goodness | undefined;
  /** On samples that are not trained on. */
  readonly heldOut: Goodness;
}

/** How a training ended. `paused`: its checkpoint lies beside `out`; the same request goes on there. */
export type TrainResult =
  | { readonly end: 'finished'; readonly out: string; readonly steps: number; readonly course: readonly CoursePoint[] }
  | { readonly end: 'paused' | 'discarded'; readonly out: string; readonly step: number; readonly steps: number };

export interface StopTrainingParams {
  /** True: pause. False: give it up; its checkpoint is removed. Heads that were finished before stay. */
  readonly keep: boolean;
  /** Where a training that is paused writes to. Default: the one that runs. */
  readonly out?: string | undefined;
}

export interface PausedTrainingParams {
  readonly out: string;
}

export interface PausedTrainingResult {
  readonly step: number;
  readonly steps: number;
}
