import type * as vscode from 'vscode';
import type { ErrorCode, LocretRequests, WorkspaceStatus } from '../../server/contract/protocol.js';

/** What the sidecar's process is at. `stopped`: it stays so until `restart`. */
export type SidecarLife =
  { readonly state: 'starting' | 'running' } | { readonly state: 'restarting' | 'stopped'; readonly reason: string };

export interface RequestOptions<Method extends keyof LocretRequests> {
  readonly token?: vscode.CancellationToken;
  /** Called with each partial result. */
  readonly onPartial?: (partial: LocretRequests[Method]['partial']) => void;
}

/** The sidecar as the rest of the extension sees it. */
export interface Sidecar {
  readonly life: SidecarLife;
  readonly onDidChangeLife: vscode.Event<SidecarLife>;
  /** As last told; without roots until then. */
  readonly status: WorkspaceStatus;
  readonly onDidChangeStatus: vscode.Event<WorkspaceStatus>;
  /** @throws RequestFailure */
  request<Method extends keyof LocretRequests>(
    method: Method,
    params: LocretRequests[Method]['params'],
    options?: RequestOptions<Method>,
  ): Promise<LocretRequests[Method]['result']>;
  /** Ends the process if it runs and starts it anew. */
  restart(): Promise<void>;
}

/** A request that was not answered: what happened, and what the user can do. Both are sentences for people. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';

  constructor(
    /** `sidecar-stopped`: the process ended or is not there; what was asked can be asked again. */
    readonly code: ErrorCode | 'sidecar-stopped' | 'unexpected',
    message: string,
    readonly remedy: string,
    /** True when the user was told of the cause already, and a message about this request would only repeat it. */
    readonly announced = false,
  ) {
    super(message);
  }
}
