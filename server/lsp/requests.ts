import { ProgressType, type CancellationToken, type Connection } from 'vscode-languageserver';
import type { LocretRequests } from '../contract/protocol.js';
import { withSignal } from './cancellation.js';
import { progressToken } from './params.js';
import { answering } from './response-errors.js';

const partialResults = new ProgressType<object>();

export interface RequestContext<Method extends keyof LocretRequests> {
  /** Fires when the client cancels. */
  readonly signal: AbortSignal;
  /** Sends a partial result; does nothing where the client wants none. */
  readonly partial: (value: LocretRequests[Method]['partial']) => void;
  /** Where the client wants work-done progress. */
  readonly workDoneToken: string | number | undefined;
}

/**
 * Registers the handler of a custom request: parameters arrive unchecked, whatever is thrown reaches the client with its
 * code and remedy.
 */
export function onLocretRequest<Method extends keyof LocretRequests>(
  connection: Connection,
  method: Method,
  handler: (params: unknown, context: RequestContext<Method>) => Promise<LocretRequests[Method]['result']>,
): void {
  const handle = (params: unknown, token: CancellationToken): Promise<LocretRequests[Method]['result']> =>
    withSignal(token, (signal) => {
      const partialToken = progressToken(params, 'partialResultToken');
      return handler(params, {
        signal,
        partial: (value) => {
          if (partialToken !== undefined) void connection.sendProgress(partialResults, partialToken, value);
        },
        workDoneToken: progressToken(params, 'workDoneToken'),
      });
    });
  connection.onRequest(method, answering(handle));
}
