import type { JsonReader } from '../contract/json.js';
import type { CoursePoint, Goodness } from '../contract/training.js';
import type { StepLoss } from './head-optimizer.js';

/** Steps since the last point: sums over them. */
interface Pending extends Goodness {
  readonly steps: number;
}

/** A course in a form that JSON keeps bit by bit. */
export interface CourseState {
  readonly points: readonly CoursePoint[];
  readonly pending: Pending;
}

const nothingPending: Pending = { steps: 0, regression: 0, overlap: 0 };
/** Four digits are more than a measurement tells. */
const rounded = ({ regression, overlap }: Goodness): Goodness => ({
  regression: Number(regression.toFixed(4)),
  overlap: Number(overlap.toFixed(4)),
});

/** How a training went: the same numbers whether it was paused or not. */
export class TrainingCourse {
  private readonly known: CoursePoint[];
  private pending: Pending;

  constructor({ points, pending }: CourseState = { points: [], pending: nothingPending }) {
    this.known = [...points];
    this.pending = pending;
  }

  get points(): readonly CoursePoint[] {
    return this.known;
  }

  get state(): CourseState {
    return { points: [...this.known], pending: this.pending };
  }

  /** The step of the last point; -1 before the first one. */
  get measuredStep(): number {
    return this.known.at(-1)?.step ?? -1;
  }

  /** Adds a step. */
  learned({ regression, overlap }: StepLoss): void {
    const { pending } = this;
    this.pending = {
      steps: pending.steps + 1,
      regression: pending.regression + regression,
      overlap: pending.overlap + overlap,
    };
  }

  /** Adds a measurement on samples that are not trained on. */
  measured(step: number, heldOut: Goodness): void {
    const { steps, regression, overlap } = this.pending;
    const learned =
      steps === 0 ? {} : { learned: rounded({ regression: regression / steps, overlap: overlap / steps }) };
    this.known.push({ step, ...learned, heldOut: rounded(heldOut) });
    this.pending = nothingPending;
  }
}

function goodnessOf(reader: JsonReader): Goodness {
  return { regression: reader.amount('regression'), overlap: reader.amount('overlap') };
}

/** Reads a list of points as they were written. @throws Error naming the value that is of another form */
export function pointsOf(reader: JsonReader, name: string): CoursePoint[] {
  return reader.list(name, (point) => ({
    step: point.count('step'),
    learned: point.findObject('learned', goodnessOf),
    heldOut: goodnessOf(point.object('heldOut')),
  }));
}

/** Reads a course as it was written. @throws Error naming the value that is of another form */
export function courseStateOf(reader: JsonReader): CourseState {
  const pending = reader.object('pending');
  return {
    points: pointsOf(reader, 'points'),
    pending: { steps: pending.count('steps'), ...goodnessOf(pending) },
  };
}
