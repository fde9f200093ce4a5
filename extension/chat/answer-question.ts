import type * as vscode from 'vscode';
import type { AskParams, AskPartial, AskResult } from '../../server/protocol.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';

/** What comes while a question is answered; `restarting`: the sidecar's process ended and the question is asked again. */
export type AnswerPartial = AskPartial | { readonly kind: 'phase'; readonly phase: 'restarting' };

/** How long the end of the process may take to be noticed after its connection broke, milliseconds. */
const noticeTime = 2000;

/**
 * Asks a question. When the sidecar's process ends before any text came, the question is asked once more of the
 * process that is started in its place.
 * @throws RequestFailure
 */
export async function answerQuestion(
  sidecar: Sidecar,
  params: AskParams,
  token: vscode.CancellationToken,
  onPartial: (partial: AnswerPartial) => void,
): Promise<AskResult> {
  let hasText = false;
  const ask = (): Promise<AskResult> =>
    sidecar.request('locret/ask', params, {
      token,
      onPartial: (partial) => {
        if (partial.kind === 'text') hasText = true;
        onPartial(partial);
      },
    });
  try {
    return await ask();
  } catch (error) {
    const canRepeat = error instanceof RequestFailure && error.code === 'sidecar-stopped' && !hasText;
    if (!canRepeat || token.isCancellationRequested) throw error;
    onPartial({ kind: 'phase', phase: 'restarting' });
    if (!(await isStartedAgain(sidecar, token))) throw error;
    return await ask();
  }
}

/** True when the process runs again after its end, or is about to; false when it stays stopped or nobody waits. */
async function isStartedAgain(sidecar: Sidecar, token: vscode.CancellationToken): Promise<boolean> {
  if (sidecar.life.state === 'running') await nextChange(sidecar, token);
  return !token.isCancellationRequested && sidecar.life.state !== 'stopped';
}

/** Resolves when the life of the sidecar changes, when the token is cancelled, or after {@link noticeTime}. */
function nextChange(sidecar: Sidecar, token: vscode.CancellationToken): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      life.dispose();
      cancellation.dispose();
      resolve();
    };
    const timer = setTimeout(end, noticeTime);
    const life = sidecar.onDidChangeLife(end);
    const cancellation = token.onCancellationRequested(end);
  });
}
