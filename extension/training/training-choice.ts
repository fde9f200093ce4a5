import { texts, word } from '../../server/contract/kinds.js';
import type { TrainParams } from '../../server/contract/protocol.js';
import {
  headInputs,
  labelKinds,
  processorPrecisions,
  type HeadInput,
  type LabelKind,
  type ProcessorPrecision,
} from '../../server/contract/words.js';
import { ObjectReader, UnexpectedShape } from '../conversation/object-reader.js';

/** A training as the user chose it. */
export interface TrainingChoice {
  /** A name that the list of models has, or an absolute folder. */
  readonly model: string;
  /** Absolute folders. */
  readonly folders: readonly string[];
  readonly labels: LabelKind;
  readonly input: HeadInput;
  readonly steps: number;
  /** The user's setting; undefined: as the model reads repositories on the processor. */
  readonly precision: ProcessorPrecision | undefined;
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

/** What the sidecar is told of a choice. */
export function trainParams(choice: TrainingChoice, fresh: boolean): TrainParams {
  const { model, folders, labels, input, steps, precision, out } = choice;
  return {
    model,
    repositories: folders,
    options: { labels, input, steps, precision },
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
        folders: reader.get('folders', texts),
        labels: reader.word('labels', labelKinds),
        input: reader.word('input', headInputs),
        steps: reader.line('steps'),
        precision: reader.find('precision', word(processorPrecisions)),
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
