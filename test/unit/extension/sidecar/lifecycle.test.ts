import { beforeEach, describe, expect, it } from 'vitest';
import { CrashPolicy, type ProcessEnd } from '../../../../extension/sidecar/crash-policy.js';
import { Lifecycle, type Session } from '../../../../extension/sidecar/lifecycle.js';

/** A session whose process does what the test says. */
class ScriptedSession implements Session {
  readonly ready: Promise<void>;
  readonly ended: Promise<ProcessEnd>;
  stopped = false;
  becomeReady!: () => void;
  private failToStart!: (error: Error) => void;
  private end!: (end: ProcessEnd) => void;

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.becomeReady = resolve;
      this.failToStart = reject;
    });
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  async crash(particulars: Partial<ProcessEnd> = {}): Promise<void> {
    this.failToStart(new Error('ended'));
    this.end({ exitCode: 1, signal: null, lastOutput: [], busy: false, at: 0, ...particulars });
    await this.ended;
    await Promise.resolve();
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.crash({ exitCode: 0 });
  }
}

let sessions: ScriptedSession[];
let events: string[];
let lifecycle: Lifecycle<ScriptedSession>;

beforeEach(() => {
  sessions = [];
  events = [];
  lifecycle = new Lifecycle({
    policy: new CrashPolicy(),
    open: () => {
      const session = new ScriptedSession();
      sessions.push(session);
      return session;
    },
    describeEnd: (end) => `exit code ${String(end.exitCode)}`,
    restartReason: 'asked for',
    onChange: (life) => events.push(life.state),
    onCrash: ({ action }, reason) => events.push(`${action}: ${reason}`),
  });
});

function session(index: number): ScriptedSession {
  const found = sessions[index];
  if (found === undefined) throw new Error(`No session ${index} was opened.`);
  return found;
}

describe('Lifecycle', () => {
  it('starts no process before it is needed, and one only', async () => {
    expect(sessions).toHaveLength(0);
    const first = lifecycle.session();
    const second = lifecycle.session();
    session(0).becomeReady();
    expect(await first).toBe(session(0));
    expect(await second).toBe(session(0));
    expect(sessions).toHaveLength(1);
    expect(lifecycle.life).toEqual({ state: 'running' });
  });

  it('starts a new process after a crash, says so once, and serves requests from it', async () => {
    lifecycle.start();
    session(0).becomeReady();
    await session(0).ready;
    await session(0).crash();
    expect(lifecycle.life).toEqual({ state: 'restarting', reason: 'exit code 1' });
    const next = lifecycle.session();
    session(1).becomeReady();
    expect(await next).toBe(session(1));
    expect(events).toEqual(['running', 'restarting', 'restart: exit code 1', 'running']);
  });

  it('stays stopped after a second crash, whoever asks for a session', async () => {
    lifecycle.start();
    await session(0).crash();
    await session(1).crash({ at: 1 });
    expect(lifecycle.life).toEqual({ state: 'stopped', reason: 'exit code 1' });
    lifecycle.start();
    expect(await lifecycle.session()).toBeUndefined();
    expect(sessions).toHaveLength(2);
  });

  it('tells requests that wait for a process that it did not start', async () => {
    const waiting = lifecycle.session();
    await Promise.all([expect(waiting).rejects.toThrow('ended'), session(0).crash()]);
  });

  it('restarts a stopped sidecar when the user says so, and forgives one more crash then', async () => {
    lifecycle.start();
    await session(0).crash();
    await session(1).crash({ at: 1 });
    await lifecycle.restart();
    await session(2).crash({ at: 2 });
    expect(sessions).toHaveLength(4);
  });

  it('ends the old process before it starts the new one, and does not take its end for a crash', async () => {
    lifecycle.start();
    session(0).becomeReady();
    await session(0).ready;
    events.length = 0;
    const both = [lifecycle.restart(), lifecycle.restart()];
    const waiting = lifecycle.session();
    expect(sessions).toHaveLength(1);
    await Promise.all(both);
    expect(session(0).stopped).toBe(true);
    session(1).becomeReady();
    expect(await waiting).toBe(session(1));
    expect(sessions).toHaveLength(2);
    expect(events).toEqual(['restarting', 'running']);
  });

  it('starts nothing any more once it is closed', async () => {
    lifecycle.start();
    await lifecycle.close();
    expect(session(0).stopped).toBe(true);
    lifecycle.start();
    expect(sessions).toHaveLength(1);
  });
});
