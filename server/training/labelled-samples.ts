import type { TrainingOptions } from '../contract/training.js';
import type { ProcessorPrecision } from '../contract/words.js';
import { LocretError } from '../errors.js';
import { seededRandom } from '../engine/random.js';
import { packedWeightsFolder } from '../memory/keeping/cache-files.js';
import { modelIdentity } from '../model/model-identity.js';
import { usualPrecision } from '../backends/processor/precision.js';
import type { LoadedModel } from '../model/model.js';
import { drawSample } from './draw-sample.js';
import { FrozenModel } from './frozen-model.js';
import type { LayerSample } from './head-optimizer.js';
import { observesHidden } from './label-kind.js';
import { gramsOf, type LabelPass, openLabelPass } from './label-pass.js';
import { type LabelOptions, labelSample, readInputs } from './label-sample.js';
import type { TrainingSample } from './sample.js';
import { findTrainingFiles, type TrainingFile, type TrainingFiles } from './training-files.js';

/** What samples are made of. */
export interface SampleSettings extends Omit<TrainingOptions, 'width' | 'steps' | 'warmup' | 'rate'> {
  /** Where the model lies. */
  readonly model: string;
  readonly repositories: readonly string[];
  readonly cacheFolder: string;
}

export interface SampleHooks {
  readonly signal?: AbortSignal | undefined;
  /** Called while files are found. */
  readonly onFile?: (filesSeen: number) => void;
}

/** Longer samples only take longer: an eviction looks at no more, and the published heads learned from up to 10 K tokens. */
const mostTokens = 8192;
const leastTokens = 128;
/** Slots behind the text for a question and its answer, or a repeated part. */
const behind = 1024;

/** Slots of the cache that a sample takes. @param tokens of its text */
export function sampleSlots(tokens: number): number {
  return tokens + behind;
}

/**
 * Tokens of a sample's text.
 * @param wanted undefined: half of the model's window, at most 8,192
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

/** A held-out sample whose labels are known: they stay the same, so that only its text is read again. */
interface KnownSample {
  readonly memory: Int32Array;
  /** Per layer `[kvHeads, tokens]` */
  readonly labels: readonly Float32Array[];
}

/**
 * Samples of repositories with what a model's heads read of them and should say. They are made when asked for; what heads
 * read is not kept, for it is far larger than the text.
 */
export class LabelledSamples {
  private readonly known = new Map<number, KnownSample>();

  private constructor(
    readonly model: LoadedModel,
    /** Changes with the files of the model's weights. */
    readonly fingerprint: string,
    /** The same for every copy of the model. */
    readonly modelIdentity: string,
    readonly tokens: number,
    /** Of the model's weights while they run. */
    readonly precision: ProcessorPrecision,
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
    const { input, labels, threads, precision = usualPrecision(model.shape) } = settings;
    const frozen = await FrozenModel.open(
      {
        model: model.place,
        precision,
        threads,
        cacheFolder: packedWeightsFolder(settings.cacheFolder, model.place),
        headInputs: observesHidden(labels) && input !== 'hidden' ? [input, 'hidden'] : [input],
        capacity: sampleSlots(tokens),
      },
      async (checkpoint) => {
        grams = await gramsOf(labels, checkpoint, threads);
        fingerprint = checkpoint.fingerprint;
        identity = modelIdentity(checkpoint);
      },
    );
    try {
      const pass = await openLabelPass(labels, model.shape, grams, threads);
      return new LabelledSamples(
        model,
        fingerprint,
        identity,
        tokens,
        precision,
        files,
        frozen,
        pass,
        settings,
        signal,
      );
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
  async training(step: number): Promise<readonly LayerSample[]> {
    return this.label(await this.draw(this.files.training, 2 * step));
  }

  /** Samples of files that are not trained on, the same ones each time. */
  async *heldOut(count: number): AsyncGenerator<readonly LayerSample[]> {
    for (let index = 0; index < count; index++) yield await this.heldOutSample(index);
  }

  private async heldOutSample(index: number): Promise<readonly LayerSample[]> {
    const known = this.known.get(index);
    if (known !== undefined) {
      const inputs = await readInputs(this.frozen, known.memory, this.labelOptions);
      return known.labels.map((labels, layer) => ({ input: inputs[layer] ?? new Float32Array(0), labels }));
    }
    const drawn = await this.draw(this.files.heldOut, 2 * index + 1);
    const sample = await this.label(drawn);
    this.known.set(index, { memory: drawn.memory, labels: sample.map(({ labels }) => labels) });
    return sample;
  }

  private draw(files: readonly TrainingFile[], index: number): Promise<TrainingSample> {
    const { model, tokens, settings } = this;
    const { questions, labels, answers, seed } = settings;
    // The seed in the upper half, the sample in the lower one: no two share their numbers.
    const random = seededRandom(seed * 2 ** 32 + index);
    return drawSample({ model, files, tokens, questions, labels, answers, random });
  }

  private get labelOptions(): LabelOptions {
    const { stopTokens } = this.model.generation;
    return { input: this.settings.input, stopTokens, signal: this.signal };
  }

  private label(sample: TrainingSample): Promise<readonly LayerSample[]> {
    return labelSample(this.frozen, this.labels, sample, this.labelOptions);
  }

  async dispose(): Promise<void> {
    await this.labels.dispose();
    await this.frozen.dispose();
  }
}
