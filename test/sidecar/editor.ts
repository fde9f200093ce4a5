import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  CancellationTokenSource,
  createProtocolConnection,
  IPCMessageReader,
  IPCMessageWriter,
  ProgressType,
  ResponseError,
  WorkDoneProgress,
  type InitializeResult,
  type ProtocolConnection,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageserver/node';
import { onTestFinished } from 'vitest';
import type {
  AskPartial,
  LocretRequests,
  RootState,
  RootStatus,
  SidecarSettings,
  WorkspaceStatus,
} from '../../server/contract/protocol.js';

const program = fileURLToPath(new URL('../../dist/sidecar.js', import.meta.url));

/** How long something may take that takes seconds. */
const patience = 60_000;

export type WorkDone = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

/** How a request ended that was not answered. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** A request that was sent and can be cancelled. */
export interface Sent<Method extends keyof LocretRequests> {
  readonly result: Promise<LocretRequests[Method]['result']>;
  readonly partials: LocretRequests[Method]['partial'][];
  readonly workDone: WorkDone[];
  cancel(): void;
}

/** A folder for repositories and a cache folder of their own; removed when the test ends. */
export class Desk {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'locret-sidecar-'));
  readonly cacheHome = path.join(this.folder, 'cache');

  constructor() {
    onTestFinished(() => {
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Writes a repository; returns its folder. */
  repository(name: string, files: Readonly<Record<string, string>>): string {
    const root = path.join(this.folder, name);
    for (const [file, content] of Object.entries(files)) this.write(root, file, content);
    return root;
  }

  write(root: string, file: string, content: string): void {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  }

  /** Opens folders in an editor whose sidecar keeps its files here. */
  async open(folders: readonly string[], settings: SidecarSettings = {}): Promise<Editor> {
    const editor = new Editor(this, folders);
    await editor.initialize(settings);
    return editor;
  }
}

/** An editor as the sidecar sees one: starts it, sends requests, hears notifications. */
export class Editor {
  readonly child: ChildProcess;
  readonly connection: ProtocolConnection;
  readonly messages: string[] = [];
  readonly log: string[] = [];
  readonly registered: string[] = [];
  status: WorkspaceStatus = { model: '', roots: [] };
  initialized: InitializeResult | undefined;
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  private tokens = 0;

  constructor(
    desk: Desk,
    private readonly folders: readonly string[],
  ) {
    this.child = fork(program, [], {
      execArgv: ['--max-semi-space-size=4'],
      env: { ...process.env, XDG_CACHE_HOME: desk.cacheHome, XDG_DATA_HOME: path.join(desk.folder, 'data') },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.ended = new Promise((resolve) => {
      this.child.on('exit', (code) => {
        resolve(code);
      });
    });
    this.connection = createProtocolConnection(new IPCMessageReader(this.child), new IPCMessageWriter(this.child));
    this.connection.onNotification('locret/status', (status: WorkspaceStatus) => {
      this.status = status;
    });
    this.connection.onNotification('window/showMessage', ({ message }: { message: string }) => {
      this.messages.push(message);
    });
    this.connection.onNotification('window/logMessage', ({ message }: { message: string }) => {
      this.log.push(message);
    });
    this.connection.onRequest(
      'client/registerCapability',
      ({ registrations }: { registrations: { method: string }[] }) => {
        this.registered.push(...registrations.map(({ method }) => method));
        return null;
      },
    );
    this.connection.listen();
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  async initialize(settings: SidecarSettings): Promise<void> {
    this.initialized = await this.connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: { workspace: { workspaceFolders: true, didChangeWatchedFiles: { dynamicRegistration: true } } },
      workspaceFolders: this.folders.map((folder) => ({ uri: uriOf(folder), name: path.basename(folder) })),
      initializationOptions: { settings },
    });
    await this.connection.sendNotification('initialized', {});
  }

  /** Sends a request with tokens for partial results and progress. */
  send<Method extends keyof LocretRequests>(method: Method, params: LocretRequests[Method]['params']): Sent<Method> {
    const token = `token-${this.tokens++}`;
    const partials: LocretRequests[Method]['partial'][] = [];
    const workDone: WorkDone[] = [];
    const listening = [
      this.connection.onProgress(new ProgressType<LocretRequests[Method]['partial']>(), `p-${token}`, (value) => {
        partials.push(value);
      }),
      this.connection.onProgress(WorkDoneProgress.type, `w-${token}`, (value) => {
        workDone.push(value);
      }),
    ];
    const cancellation = new CancellationTokenSource();
    const result = this.connection
      .sendRequest<LocretRequests[Method]['result']>(
        method,
        { ...params, partialResultToken: `p-${token}`, workDoneToken: `w-${token}` },
        cancellation.token,
      )
      .finally(() => {
        for (const listener of listening) listener.dispose();
      });
    // Tests look at it later, or not at all.
    result.catch(() => undefined);
    return {
      result,
      partials,
      workDone,
      cancel: () => {
        cancellation.cancel();
      },
    };
  }

  request<Method extends keyof LocretRequests>(
    method: Method,
    params: LocretRequests[Method]['params'],
  ): Promise<LocretRequests[Method]['result']> {
    return this.send(method, params).result;
  }

  ask(folder: string, question: string, rest: Partial<LocretRequests['locret/ask']['params']> = {}) {
    return this.send('locret/ask', { root: uriOf(folder), question, ...rest });
  }

  /** A root's status as last told. */
  root(folder: string): RootStatus | undefined {
    return this.status.roots.find(({ root }) => root === uriOf(folder));
  }

  /** Waits until a root is told to be at something. */
  async until(folder: string, holds: RootState | ((status: RootStatus) => boolean)): Promise<RootStatus> {
    const started = performance.now();
    for (;;) {
      const status = this.root(folder);
      if (status !== undefined && (typeof holds === 'string' ? status.state === holds : holds(status))) return status;
      if (performance.now() - started > patience) throw new Error(`It is still ${JSON.stringify(status)}`);
      await delay(10);
    }
  }

  /** Tells that files changed, as an editor's watcher does. */
  async filesChanged(root: string, ...files: string[]): Promise<void> {
    const changes = files.map((file) => ({ uri: uriOf(path.join(root, file)), type: 2 }));
    await this.connection.sendNotification('workspace/didChangeWatchedFiles', { changes });
  }

  async configure(settings: SidecarSettings): Promise<void> {
    await this.connection.sendNotification('workspace/didChangeConfiguration', { settings: { locret: settings } });
  }

  /** Ends the sidecar as an editor does; returns its exit code. */
  async close(): Promise<number | null> {
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    return this.ended;
  }
}

export function uriOf(folder: string): string {
  return pathToFileURL(folder).href;
}

/** The error that a request was refused with; its data as far as the protocol says. */
export async function refusalOf(result: Promise<unknown>): Promise<Refusal> {
  const outcome: unknown = await result.catch((error: unknown) => error);
  if (outcome instanceof ResponseError) return { code: outcome.code, message: outcome.message, data: outcome.data };
  throw new Error('this was not refused', { cause: outcome });
}

/** The text that came in partial results. */
export function streamedText(partials: readonly AskPartial[]): string {
  return partials.map((partial) => (partial.kind === 'text' ? partial.text : '')).join('');
}

/** The phases that a question went through. */
export function phasesOf(partials: readonly AskPartial[]): string[] {
  return partials.flatMap((partial) => (partial.kind === 'phase' ? [partial.phase] : []));
}
