import { cancelled, throwIfCancelled } from '../errors.js';

/** A piece of work on the engine. */
export interface Operation<Result> {
  /** For the message when it is cancelled: `Reading the repository`. */
  readonly name: string;
  /** True: it waits for all that is not in the background, and ends early when something else wants the engine. */
  readonly background?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called with a signal that also fires when a background operation has to make room. */
  readonly task: (signal: AbortSignal) => Promise<Result>;
}

/** An operation's place in the queue. */
interface Place {
  readonly background: boolean;
  /** Ends the operation while it runs. */
  readonly controller: AbortController;
  /** Lets the operation begin. */
  start: () => void;
}

/**
 * Lets operations on the engine run one at a time: those that somebody waits for in the order of their calls, those in
 * the background when nobody waits. A background operation that runs is told to end as soon as somebody waits.
 */
export class OperationQueue {
  private readonly waiting: Place[] = [];
  private running: Place | undefined;

  /** True while something runs or waits. */
  get isBusy(): boolean {
    return this.running !== undefined;
  }

  /**
   * Runs an operation when its turn has come.
   * @throws LocretError cancelled, when its signal fired before that; what the task throws
   */
  async run<Result>({ name, background = false, signal, task }: Operation<Result>): Promise<Result> {
    throwIfCancelled(signal, name);
    if (!background && this.running?.background === true) this.running.controller.abort();
    const place: Place = { background, controller: new AbortController(), start: () => undefined };
    if (this.running === undefined) this.running = place;
    else await this.wait(place, signal, name);
    const end = (): void => {
      place.controller.abort();
    };
    signal?.addEventListener('abort', end, { once: true });
    try {
      return await task(place.controller.signal);
    } finally {
      signal?.removeEventListener('abort', end);
      this.startNext();
    }
  }

  private wait(place: Place, signal: AbortSignal | undefined, name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(place), 1);
        reject(cancelled(name));
      };
      place.start = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.push(place);
    });
  }

  private startNext(): void {
    const foreground = this.waiting.findIndex((place) => !place.background);
    const [next] = this.waiting.splice(Math.max(0, foreground), 1);
    this.running = next;
    next?.start();
  }
}
