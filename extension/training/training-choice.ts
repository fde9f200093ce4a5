import type { TrainParams, TrainingOptions } from '../../server/contract/protocol.js';
import { ObjectReader, UnexpectedShape } from '../conversation/object-reader.js';

/** A training as the user chose it. */
export interface TrainingChoice {
  /** A name that the list of models has, or an absolute folder. */
  readonly model: string;
  /** Absolute folders. */
  readonly folders: readonly string[];
  readonly labels: 'published' | 'contribution' | 'reconstruction';
  readonly input: 'qkv' | 'hidden';
  readonly steps: number;
  /** The user's setting; undefined: full precision. */
  readonly precision: TrainingOptions['precision'];
  /** The file of the heads; undefined: where the sidecar keeps them. */
  readonly out: string | undefined;
}

/** A training that was begun. */
export interface BegunTraining extends TrainingChoice {
  readonly out: string;
}

/** Only what Memento promises, so that tests need no editor. */
interface Storage {
  get(key: string): unknown;
  update(key: string, value: unknown): Thenable<void>;
}

const key = 'locret.begunTraining';
const precisions: readonly NonNullable<TrainingOptions['precision']>[] = ['float32', 'int8', 'int4'];

/** What the sidecar is told of a choice. */
export function trainParams(choice: TrainingChoice, fresh: boolean): TrainParams {
  const { model, folders, labels, input, steps, precision, out } = choice;
  return {
    model,
    repositories: folders,
    options: { labels, input, steps, ...(precision === undefined ? {} : { precision }) },
    fresh,
    ...(out === undefined ? {} : { out }),
  };
}

/** Keeps the training that was begun last until it is finished or given up: also over the end of the editor. */
export class BegunTrainingStore {
  constructor(private readonly storage: Storage) {}

  /** Undefined where there is none; what another version wrote in another form counts as none. */
  get(): BegunTraining | undefined {
    const value = this.storage.get(key);
    if (value === undefined) return undefined;
    try {
      const reader = new ObjectReader(value, 'training');
      return {
        model: reader.text('model'),
        folders: reader.list('folders', (folder) => new ObjectReader({ folder }, 'folders').text('folder')),
        labels: reader.word('labels', ['published', 'contribution', 'reconstruction']),
        input: reader.word('input', ['qkv', 'hidden']),
        steps: reader.line('steps'),
        precision: reader.has('precision') ? reader.word('precision', precisions) : undefined,
        out: reader.text('out'),
      };
    } catch (error) {
      if (error instanceof UnexpectedShape) return undefined;
      throw error;
    }
  }

  async keep(training: BegunTraining): Promise<void> {
    await this.storage.update(key, training);
  }

  async clear(): Promise<void> {
    await this.storage.update(key, undefined);
  }
}
