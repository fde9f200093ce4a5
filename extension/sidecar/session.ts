import type * as vscode from 'vscode';
import { ProgressType, TextDocumentContentRequest } from 'vscode-languageclient/node';
import type {
  LocretRequests,
  SidecarSettings,
  TrainingStatus,
  WorkspaceStatus,
} from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import type { ProcessEnd } from './crash-policy.js';
import { SidecarClient } from './language-client.js';
import type { Session } from './lifecycle.js';
import { SidecarProcess } from './process.js';
import { toRequestFailure } from './request-failure.js';
import type { RequestOptions } from './sidecar.js';
import { isBusy } from './workspace-status.js';

export interface SessionOptions {
  /** Absolute path of the sidecar's program. */
  readonly module: string;
  readonly log: vscode.LogOutputChannel;
  readonly settings: SidecarSettings;
  readonly onStatus: (status: WorkspaceStatus) => void;
  /** Called when a training came further. */
  readonly onTraining: (training: TrainingStatus) => void;
}

/** Time for the sidecar to save a partial memory and to free the model, milliseconds. */
const stopTime = 10_000;

/** One process of the sidecar and the connection to it. */
export class SidecarSession implements Session {
  readonly ready: Promise<void>;
  readonly ended: Promise<ProcessEnd>;
  private readonly process: SidecarProcess;
  private readonly client: SidecarClient;
  private lastStatus: WorkspaceStatus | undefined;
  private isOver = false;
  /** What the sidecar said against being started, while its process was there. */
  private refusal: string | undefined;
  private partialResults = 0;

  constructor(private readonly options: SessionOptions) {
    const { module, log, settings } = options;
    this.process = new SidecarProcess({
      module,
      onLine: (line, output) => {
        if (output === 'stdout') log.info(line);
        else log.warn(line);
      },
    });
    log.info(`The sidecar's process is ${this.process.id ?? 'not there'}.`);
    this.client = new SidecarClient({ process: this.process, log, initializationOptions: { settings } });
    this.client.onNotification('locret/status', (status: WorkspaceStatus) => {
      this.receiveStatus(status);
    });
    this.client.onNotification('locret/training', (training: TrainingStatus) => {
      options.onTraining(training);
    });
    this.ready = this.begin();
    this.ended = this.awaitEnd();
  }

  /** @throws RequestFailure */
  async request<Method extends keyof LocretRequests>(
    method: Method,
    params: LocretRequests[Method]['params'],
    { token, onPartial }: RequestOptions<Method>,
  ): Promise<LocretRequests[Method]['result']> {
    const partialResultToken = `locret-${++this.partialResults}`;
    const partials =
      onPartial &&
      this.client.onProgress(new ProgressType<LocretRequests[Method]['partial']>(), partialResultToken, onPartial);
    try {
      const sent = partials === undefined ? params : { ...params, partialResultToken };
      // A token that is undefined would be sent as a second parameter.
      const rest = token === undefined ? [] : [token];
      return await this.client.sendRequest<LocretRequests[Method]['result']>(method, sent, ...rest);
    } catch (error) {
      throw toRequestFailure(error, this.isOver, displayLanguage);
    } finally {
      partials?.dispose();
    }
  }

  /** Tells the sidecar what the user has set now. */
  async changeSettings(settings: SidecarSettings): Promise<void> {
    await this.client.sendNotification('workspace/didChangeConfiguration', { settings: { locret: settings } });
  }

  /**
   * The text of a document that the sidecar writes.
   * @throws RequestFailure
   */
  async documentText(document: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    try {
      const params = { uri: this.client.code2ProtocolConverter.asUri(document) };
      const { text } = await this.client.sendRequest(TextDocumentContentRequest.type, params, token);
      return text;
    } catch (error) {
      throw toRequestFailure(error, this.isOver, displayLanguage);
    }
  }

  async stop(): Promise<void> {
    const outOfTime = setTimeout(() => {
      this.options.log.warn(`The sidecar took longer than ${stopTime / 1000} s to end and is killed.`);
      this.process.kill();
    }, stopTime);
    if (this.client.isRunning()) {
      await this.client.stop(stopTime).catch((error: unknown) => {
        this.options.log.warn(`The sidecar did not shut down: ${String(error)}`);
      });
    } else {
      this.process.kill();
    }
    await this.process.exited;
    clearTimeout(outOfTime);
  }

  private async begin(): Promise<void> {
    try {
      await this.client.start();
      this.receiveStatus(await this.client.sendRequest<WorkspaceStatus>('locret/status', {}));
    } catch (error) {
      const failure = toRequestFailure(error, this.isOver, displayLanguage);
      if (failure.code !== 'sidecar-stopped') this.refusal = failure.message;
      this.process.kill();
      throw failure;
    }
  }

  private receiveStatus(status: WorkspaceStatus): void {
    this.lastStatus = status;
    this.options.onStatus(status);
  }

  private async awaitEnd(): Promise<ProcessEnd> {
    const exit = await this.process.exited;
    this.isOver = true;
    const at = performance.now();
    if (this.refusal !== undefined) {
      return { exitCode: -1, signal: null, lastOutput: [...exit.lastOutput, this.refusal], busy: false, at };
    }
    return { ...exit, busy: this.lastStatus?.roots.some(isBusy) ?? false, at };
  }
}
