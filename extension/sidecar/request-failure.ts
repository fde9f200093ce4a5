import type { ErrorData } from '../../server/contract/protocol.js';
import type { Localization } from '../text/localization.js';
import { RequestFailure } from './sidecar.js';

/** Errors of vscode-jsonrpc for requests whose connection is gone: closed, disposed, inactive, rejected, not writable. */
const connectionCodes: readonly unknown[] = [1, 2, -32096, -32097, -32099];
/** LSP's errors for requests that were cancelled, by the client and by the server. */
const cancelledCodes: readonly unknown[] = [-32800, -32802];

/**
 * The failure of a request, from whatever the language client threw.
 * @param ended true when the sidecar's process is gone: then nothing else can be the reason
 */
export function toRequestFailure(error: unknown, ended: boolean, l10n: Localization): RequestFailure {
  if (error instanceof RequestFailure) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (cancelledCodes.includes(code)) {
    return new RequestFailure('cancelled', l10n.t('This was cancelled.'), l10n.t('Start it again when you like.'));
  }
  if (ended || connectionCodes.includes(code)) {
    return new RequestFailure(
      'sidecar-stopped',
      l10n.t('The sidecar ended before it could answer.'),
      l10n.t('Try again; what had been read is kept.'),
      true,
    );
  }
  const message = error instanceof Error ? error.message : String(error);
  const data = typeof error === 'object' && error !== null && 'data' in error ? error.data : undefined;
  if (isErrorData(data)) return new RequestFailure(data.code, message, data.remedy);
  return new RequestFailure('unexpected', message, l10n.t('The log may tell more.'));
}

function isErrorData(data: unknown): data is ErrorData {
  if (typeof data !== 'object' || data === null || !('code' in data) || !('remedy' in data)) return false;
  return typeof data.code === 'string' && typeof data.remedy === 'string';
}
