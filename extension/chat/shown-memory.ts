import type { PlanResult, RootStatus } from '../../server/contract/protocol.js';
import type { ReadingProgress, Root } from '../conversation/conversation.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';
import type { MemoryView, PlanView, RootView } from './messages.js';

/** The model that comes with Locret. */
export const bundledModel = 'nano';

/** What the page shows of the sidecar and of the memories. */
export class ShownMemory {
  /** By root and model: the plan, or undefined while it is asked for or cannot be told. */
  private readonly plans = new Map<string, PlanView | undefined>();
  /** Tokens per second of the last reading of each root. */
  private readonly speeds = new Map<string, number>();

  /** @param onChange called when a plan has become known */
  constructor(
    private readonly sidecar: Sidecar,
    private readonly roots: () => readonly Root[],
    private readonly onChange: () => void,
  ) {}

  view(): MemoryView {
    const { life, status } = this.sidecar;
    const { engine } = status;
    return {
      life,
      model: status.model,
      isBundled: status.model === bundledModel,
      engine,
      roots: this.roots().map((root) => this.rootView(root, status.roots)),
    };
  }

  private rootView(root: Root, statuses: readonly RootStatus[]): RootView {
    const status = statuses.find((candidate) => candidate.root === root.uri);
    // Until the sidecar has told, nothing is known to be read.
    if (status === undefined) return { root, state: 'loading', snapshot: false, notices: [] };
    const { state, progress, memory, snapshot, error, notices } = status;
    if (progress !== undefined && progress.tokensPerSecond > 0) this.speeds.set(root.uri, progress.tokensPerSecond);
    const speed = this.speeds.get(root.uri);
    const plan = state === 'idle' && !snapshot ? this.plan(root.uri) : undefined;
    return {
      root,
      state,
      snapshot,
      notices,
      progress: progress && progressView(progress),
      memory,
      error: error && { message: error.message, remedy: error.remedy },
      plan,
      deepSeconds: memory === undefined || speed === undefined ? undefined : memory.tokensRead / speed,
    };
  }

  /** What reading a root will take, when it is known; else it is asked for. */
  private plan(root: string): PlanView | undefined {
    const key = `${this.sidecar.status.model}\n${root}`;
    if (!this.plans.has(key) && this.sidecar.life.state === 'running') {
      this.plans.set(key, undefined);
      void this.sidecar.request('locret/plan', { root }).then(
        (plan) => {
          this.plans.set(key, planView(plan));
          this.onChange();
        },
        (error: unknown) => {
          // A plan that is refused is told when reading is asked for; one that was not made is asked for again.
          if (!(error instanceof RequestFailure) || error.code === 'sidecar-stopped') this.plans.delete(key);
        },
      );
    }
    return this.plans.get(key);
  }
}

/** The part of the progress that is shown. */
function progressView(progress: ReadingProgress): ReadingProgress {
  const { filesRead, files, bytesRead, bytes, tokensPerSecond, secondsLeft } = progress;
  return { filesRead, files, bytesRead, bytes, tokensPerSecond, secondsLeft };
}

function planView({ bytes, notices }: PlanResult): PlanView {
  return { peakBytes: bytes.peak, cacheBytes: bytes.cache, freeBytes: bytes.free, notices };
}
