import type { TrainingOptions } from '../contract/training.js';
import { LocretError } from '../errors.js';
import { seededRandom } from '../engine/random.js';
import { packedWeightsFolder } from '../memory/keeping/cache-files.js';
import { modelIdentity } from '../model/model-identity.js';
import type { LoadedModel } from '../model/model.js';
import { drawSample } from './draw-sample.js';
import { FrozenModel } from './frozen-model.js';
import type { LayerSample } from './head-optimizer.js';
import { observesHidden } from './label-kind.js';
import { gramsOf, type LabelPass, openLabelPass } from './label-pass.js';
import { labelSample } from './label-sample.js';
import { findTrainingFiles, type TrainingFile, type TrainingFiles } from './training-files.js';

/** What samples are made of. */
export interface SampleSettings extends Omit<TrainingOptions, 'width' | 'steps' | 'warmup' | 'rate'> {
  /** Model folder in the Hugging Face layout. */
  readonly modelFolder: string;
  readonly repositories: readonly string[];
  readonly cacheFolder: string;
}

export interface SampleHooks {
  readonly signal?: AbortSignal | undefined;
  /** Called while files are found. */
  readonly onFile?: (filesSeen: number) => void;
}

const mostTokens = 2048;
const leastTokens = 128;
/** Slots behind the text for a question and its answer, or a repeated part. */
const behind = 1024;

/** Slots of the cache that a sample takes. @param tokens of its text */
export function sampleSlots(tokens: number): number {
  return tokens + behind;
}

/**
 * Tokens of a sample's text.
 * @param wanted undefined: half of the model's window, at most 2,048
 * @throws LocretError invalid-argument when the model cannot read so many
 */
export function sampleTokens(model: LoadedModel, wanted: number | undefined): number {
  const window = model.locret.window ?? model.shape.maxPositions;
  const tokens = wanted ?? Math.max(leastTokens, Math.min(mostTokens, window >> 1));
  if (tokens >= leastTokens && tokens < model.shape.maxPositions) return tokens;
  throw new LocretError(
    'invalid-argument',
    `Samples of ${tokens} tokens were asked for; ${leastTokens} to ${model.shape.maxPositions - 1} are possible with this model.`,
    'Choose another number of --tokens.',
  );
}

/** Samples of repositories with what a model's heads read of them and should say; made when asked for, not kept. */
export class LabelledSamples {
  private constructor(
    readonly model: LoadedModel,
    /** Changes with the files of the model's weights. */
    readonly fingerprint: string,
    /** The same for every copy of the model. */
    readonly modelIdentity: string,
    readonly tokens: number,
    private readonly files: TrainingFiles,
    private readonly frozen: FrozenModel,
    private readonly labels: LabelPass,
    private readonly settings: SampleSettings,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * @param model that of the settings' folder
   * @throws LocretError for a model or repository that cannot be used, too little source, cancelled
   */
  static async open(
    model: LoadedModel,
    settings: SampleSettings,
    { signal, onFile }: SampleHooks,
  ): Promise<LabelledSamples> {
    const tokens = sampleTokens(model, settings.tokens);
    const files = await findTrainingFiles(settings.repositories, {
      ...(signal === undefined ? {} : { signal }),
      ...(onFile === undefined ? {} : { onFile }),
    });
    let grams: readonly Float32Array[] = [];
    let [fingerprint, identity] = ['', ''];
    const { input, labels, precision, threads } = settings;
    const frozen = await FrozenModel.open(
      {
        model: model.place,
        precision,
        threads,
        cacheFolder: packedWeightsFolder(settings.cacheFolder, model.place),
        headInputs: observesHidden(labels) && input !== 'hidden' ? [input, 'hidden'] : [input],
        capacity: sampleSlots(tokens),
      },
      (checkpoint) => {
        grams = gramsOf(labels, checkpoint);
        fingerprint = checkpoint.fingerprint;
        identity = modelIdentity(checkpoint);
      },
    );
    try {
      const pass = await openLabelPass(labels, model.shape, grams, threads);
      return new LabelledSamples(model, fingerprint, identity, tokens, files, frozen, pass, settings, signal);
    } catch (error) {
      await frozen.dispose();
      throw error;
    }
  }

  /** The numbers of files to train on and to measure on. */
  get fileCounts(): { readonly training: number; readonly heldOut: number } {
    return { training: this.files.training.length, heldOut: this.files.heldOut.length };
  }

  /** Names of the repositories that they come from. */
  get repositories(): readonly string[] {
    const { training, heldOut } = this.files;
    return [...new Set([...training, ...heldOut].map(({ repository }) => repository))];
  }

  /** The sample of a training step: the same for the same seed and step. */
  training(step: number): Promise<readonly LayerSample[]> {
    return this.make(this.files.training, 2 * step);
  }

  /** Samples of files that are not trained on, the same ones each time. */
  async *heldOut(count: number): AsyncGenerator<readonly LayerSample[]> {
    for (let index = 0; index < count; index++) yield await this.make(this.files.heldOut, 2 * index + 1);
  }

  private async make(files: readonly TrainingFile[], index: number): Promise<readonly LayerSample[]> {
    const { model, tokens, settings, signal } = this;
    const { questions, labels, answers, input, seed } = settings;
    // The seed in the upper half, the sample in the lower one: no two share their numbers.
    const random = seededRandom(seed * 2 ** 32 + index);
    const sample = await drawSample({ model, files, tokens, questions, labels, answers, random });
    const { stopTokens } = model.generation;
    return labelSample(this.frozen, this.labels, sample, { input, stopTokens, signal });
  }

  async dispose(): Promise<void> {
    await this.labels.dispose();
    await this.frozen.dispose();
  }
}
