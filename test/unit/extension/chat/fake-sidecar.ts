import { CancellationTokenSource, Emitter } from 'vscode-languageserver/node';
import type * as vscode from 'vscode';
import type {
  AskParams,
  AskPartial,
  AskResult,
  LocretRequests,
  RootStatus,
  WorkspaceStatus,
} from '../../../../server/contract/protocol.js';
import type { CancellationSource } from '../../../../extension/chat/conversation-session.js';
import type { RequestOptions, Sidecar, SidecarLife } from '../../../../extension/sidecar/sidecar.js';
import { RequestFailure } from '../../../../extension/sidecar/sidecar.js';

export const root = 'file:///code/orchard';

/** A memory that was read. */
export function readyRoot(changes: Partial<RootStatus> = {}): RootStatus {
  return {
    root,
    name: 'orchard',
    state: 'ready',
    memory: {
      filesRead: 412,
      tokensRead: 1_204_000,
      skipped: 8,
      changed: 0,
      units: 256,
      budget: 256,
      source: 'read',
      made: 0,
    },
    snapshot: true,
    answering: false,
    notices: [],
    ...changes,
  };
}

/** A root of which nothing was read yet. */
export function unreadRoot(changes: Partial<RootStatus> = {}): RootStatus {
  return { root, name: 'orchard', state: 'idle', snapshot: false, answering: false, notices: [], ...changes };
}

/** An answer with everything that an answer can have. */
export function answerOf(text: string, changes: Partial<AskResult> = {}): AskResult {
  return {
    mode: 'memory',
    text,
    citations: [
      { path: 'src/store/apple.ts', line: 12, endLine: 30, name: 'AppleStore', from: 'recall' },
      { path: 'src/ledger.ts', line: 8, endLine: 19, name: 'openLedger', from: 'memory' },
    ],
    coverage: { filesRead: 412, tokensRead: 1_204_000, skipped: 8, changed: 2 },
    recalled: [
      { path: 'src/store/apple.ts', line: 12, endLine: 30, name: 'AppleStore', reason: 'name', tokens: 120, cut: 0 },
    ],
    timings: {
      recallSeconds: 0.12,
      firstTokenSeconds: 0.4,
      totalSeconds: 2.1,
      promptTokens: 310,
      answerTokens: 48,
      tokensPerSecond: 32,
    },
    memory: {
      model: 'nano',
      source: 'snapshot',
      seconds: 0.3,
      tokensRead: 1_204_000,
      units: 256,
      cacheBytes: 6_400_000,
      weightBytes: 12_000_000,
      policy: 'locret',
      precision: 'float32',
    },
    end: 'stop-token',
    notices: [],
    ...changes,
  };
}

/** A question that waits for the test to answer it. */
export interface PendingQuestion {
  readonly params: AskParams;
  readonly token: vscode.CancellationToken | undefined;
  readonly send: (partial: AskPartial) => void;
  readonly answer: (result: AskResult) => void;
  readonly fail: (error: Error) => void;
}

type Method = keyof LocretRequests;
type Handler<M extends Method> = (
  params: LocretRequests[M]['params'],
  options: RequestOptions<M>,
) => LocretRequests[M]['result'] | Promise<LocretRequests[M]['result']>;
type Handlers = { [M in Method]?: Handler<M> };

export function createCancellation(): CancellationSource {
  const source = new CancellationTokenSource();
  return {
    token: source.token,
    cancel: () => {
      source.cancel();
    },
    dispose: () => {
      source.dispose();
    },
  };
}

export const sidecarStopped = new RequestFailure('sidecar-stopped', 'The sidecar has ended.', 'Try again.');

/** A sidecar whose answers a test gives. A question that is cancelled fails as the real one does. */
export class FakeSidecar implements Sidecar {
  life: SidecarLife = { state: 'running' };
  status: WorkspaceStatus;
  readonly questions: PendingQuestion[] = [];
  /** Every other request that came, in order. */
  readonly requests: { readonly method: Method; readonly params: unknown }[] = [];
  readonly handlers: Handlers = { 'locret/ask': (params, options) => this.ask(params, options) };
  private readonly lifeChanges = new Emitter<SidecarLife>();
  private readonly statusChanges = new Emitter<WorkspaceStatus>();
  readonly onDidChangeLife = this.lifeChanges.event;
  readonly onDidChangeStatus = this.statusChanges.event;
  private readonly arrivals = new Emitter<PendingQuestion>();

  constructor(...roots: readonly RootStatus[]) {
    this.status = { model: 'nano', roots: roots.length === 0 ? [readyRoot()] : roots };
  }

  changeLife(life: SidecarLife): void {
    this.life = life;
    this.lifeChanges.fire(life);
  }

  changeStatus(status: Partial<WorkspaceStatus>): void {
    this.status = { ...this.status, ...status };
    this.statusChanges.fire(this.status);
  }

  restart(): Promise<void> {
    return Promise.resolve();
  }

  /** The question that was asked as the `count`th, 1-based; waits for it. */
  async question(count: number): Promise<PendingQuestion> {
    const asked = this.questions[count - 1];
    if (asked !== undefined) return asked;
    return new Promise((resolve) => {
      const arrival = this.arrivals.event((question) => {
        if (this.questions.length < count) return;
        arrival.dispose();
        resolve(question);
      });
    });
  }

  async request<M extends Method>(
    method: M,
    params: LocretRequests[M]['params'],
    options: RequestOptions<M> = {},
  ): Promise<LocretRequests[M]['result']> {
    if (method !== 'locret/ask') this.requests.push({ method, params });
    const handler: Handler<M> | undefined = this.handlers[method];
    if (handler === undefined) throw new RequestFailure('unexpected', `${method} was not expected.`, '');
    return handler(params, options);
  }

  private ask(params: AskParams, { token, onPartial }: RequestOptions<'locret/ask'>): Promise<AskResult> {
    return new Promise((answer, fail) => {
      token?.onCancellationRequested(() => {
        fail(new RequestFailure('cancelled', 'This was cancelled.', 'Start it again when you like.'));
      });
      const question = { params, token, answer, fail, send: (partial: AskPartial) => onPartial?.(partial) };
      this.questions.push(question);
      this.arrivals.fire(question);
    });
  }
}
