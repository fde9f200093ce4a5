import { LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import { isLocretError, messageOf } from '../errors.js';
import type { ErrorData } from '../contract/protocol.js';

/** What a request is answered with when it failed: the message for people, code and remedy beside it. */
export function responseError(error: unknown): ResponseError<ErrorData> {
  if (isLocretError(error)) {
    const number = error.code === 'cancelled' ? LSPErrorCodes.RequestCancelled : LSPErrorCodes.RequestFailed;
    return new ResponseError(number, error.message, { code: error.code, remedy: error.remedy });
  }
  return new ResponseError(LSPErrorCodes.RequestFailed, `Unexpected error: ${messageOf(error)}`, {
    code: 'engine-failed',
    remedy: 'Restart the sidecar; if it happens again, report it with the log.',
  });
}

/** Wraps a handler so that whatever it throws reaches the client as a {@link responseError}. */
export function answering<Arguments extends readonly unknown[], Result>(
  handler: (...values: Arguments) => Promise<Result>,
): (...values: Arguments) => Promise<Result> {
  return async (...values) => {
    try {
      return await handler(...values);
    } catch (error) {
      throw error instanceof ResponseError ? error : responseError(error);
    }
  };
}
