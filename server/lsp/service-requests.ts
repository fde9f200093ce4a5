import { ProgressType, type CancellationToken, type Connection } from 'vscode-languageserver';
import { isJsonObject } from '../contract/json.js';
import { methods, type Method, type ResultOf, type Service, type UseCase, type UseCases } from '../service/use-case.js';
import { withSignal } from './cancellation.js';
import { PartialSender } from './partial-sender.js';
import { answering } from './response-errors.js';
import { withWorkDone } from './work-done.js';

const partialResults = new ProgressType<object>();

/** Where a client wants progress or partial results; undefined where it wants none. */
function progressToken(params: unknown, name: 'workDoneToken' | 'partialResultToken'): string | number | undefined {
  const value = isJsonObject(params) ? params[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

/** Answers one method: what comes before the result, how far it is, and its end by the client go their standard ways. */
function serve<Of extends Method>(connection: Connection, service: UseCases<Of>, method: Of): void {
  const { parse, handle, work }: UseCase<Of> = service[method];
  const answer = (sent: unknown, token: CancellationToken): Promise<ResultOf<Of>> =>
    withSignal(token, async (signal) => {
      const partialToken = progressToken(sent, 'partialResultToken');
      const workDoneToken = progressToken(sent, 'workDoneToken');
      const sender = new PartialSender((partial) => {
        if (partialToken !== undefined) void connection.sendProgress(partialResults, partialToken, partial);
      });
      const params = parse(sent);
      const task = (): Promise<ResultOf<Of>> =>
        handle(params, {
          signal,
          onPartial: (partial) => {
            sender.push(partial);
          },
        });
      try {
        if (work === undefined || workDoneToken === undefined) return await task();
        return await withWorkDone(connection, workDoneToken, work(params), task);
      } finally {
        sender.flush();
      }
    });
  connection.onRequest(method, answering(answer));
}

/** Carries a service over a connection. Whatever is thrown reaches the client with its code and remedy. */
export function serveService(connection: Connection, service: Service): void {
  for (const method of methods(service)) serve(connection, service, method);
}
