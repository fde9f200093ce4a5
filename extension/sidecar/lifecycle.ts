import type { CrashPolicy, ProcessEnd, Verdict } from './crash-policy.js';
import type { SidecarLife } from './sidecar.js';

/** One run of the sidecar's process, from its start to its end. */
export interface Session {
  /** Resolves when requests can be sent; rejects when it ended before. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Ends the process, with time to save what it has; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface LifecycleOptions<Run extends Session> {
  readonly policy: CrashPolicy;
  /** Starts a process. */
  readonly open: () => Run;
  /** Puts an end that nobody asked for into sentences. */
  readonly describeEnd: (end: ProcessEnd, verdict: Verdict) => string;
  /** Why the process is started anew when the user asked for it. */
  readonly restartReason: string;
  readonly onChange: (life: SidecarLife) => void;
  /** Called once for each end that nobody asked for. */
  readonly onCrash: (verdict: Verdict, reason: string) => void;
}

/** Keeps one session of the sidecar going: from its first use through crashes and restarts to the end of the extension. */
export class Lifecycle<Run extends Session> {
  private state: SidecarLife = { state: 'starting' };
  private current: Run | undefined;
  private restarting: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly options: LifecycleOptions<Run>) {}

  get life(): SidecarLife {
    return this.state;
  }

  /** Starts the process unless there is one, or it is to stay stopped. */
  start(): void {
    if (this.current === undefined && this.restarting === undefined && this.state.state !== 'stopped') this.open();
  }

  /**
   * The session to send requests to, when it is ready; undefined when the sidecar is stopped.
   * @throws what kept the session from getting ready
   */
  async session(): Promise<Run | undefined> {
    if (this.restarting !== undefined) await this.restarting;
    this.start();
    return this.openedSession();
  }

  /** The session that was started already, when it is ready; undefined when there is none. Starts nothing. */
  async openedSession(): Promise<Run | undefined> {
    const session = this.current;
    await session?.ready;
    return session;
  }

  /** Ends the process if there is one and starts it anew; earlier crashes are forgotten. */
  async restart(): Promise<void> {
    this.restarting ??= this.endAndOpen().finally(() => {
      this.restarting = undefined;
    });
    await this.restarting;
  }

  /** Ends the process for good; resolves when it is gone. */
  async close(): Promise<void> {
    this.closed = true;
    await this.endCurrent();
  }

  private async endAndOpen(): Promise<void> {
    this.options.policy.forget();
    this.change({ state: 'restarting', reason: this.options.restartReason });
    await this.endCurrent();
    this.open();
  }

  private async endCurrent(): Promise<void> {
    const session = this.current;
    this.current = undefined;
    await session?.stop();
  }

  private open(): void {
    if (this.closed) return;
    const session = this.options.open();
    this.current = session;
    session.ready.then(
      () => {
        if (this.current === session) this.change({ state: 'running' });
      },
      () => undefined, // It has ended, or will: `ended` tells.
    );
    void session.ended.then((end) => {
      if (this.current === session) this.handleCrash(end);
    });
  }

  private handleCrash(end: ProcessEnd): void {
    this.current = undefined;
    const verdict = this.options.policy.judge(end);
    const reason = this.options.describeEnd(end, verdict);
    this.change({ state: verdict.action === 'stop' ? 'stopped' : 'restarting', reason });
    this.options.onCrash(verdict, reason);
    if (verdict.action === 'restart') this.open();
  }

  private change(life: SidecarLife): void {
    this.state = life;
    this.options.onChange(life);
  }
}
