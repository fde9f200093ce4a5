import type * as vscode from 'vscode';
import type { AskParams, AskPartial, AskResult, RootState, RootUri } from '../../server/contract/protocol.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';

/**
 * What comes while a question is answered. `restarting`: the sidecar's process ended and the question is asked again.
 * `paused`: the user has paused the reading that the question waits for.
 */
export type AnswerPartial = AskPartial | { readonly kind: 'phase'; readonly phase: 'restarting' | 'paused' };

/** How long it may take until the cause of a failed request is known, milliseconds. */
const noticeTime = 2000;

export interface AskOptions {
  readonly token: vscode.CancellationToken;
  readonly onPartial?: ((partial: AnswerPartial) => void) | undefined;
}

/**
 * Asks a question, wherever in the editor it is put. When the sidecar's process ends before any text came, the question is asked once more of the
 * process that is started in its place; when the reading is paused, it is asked again once the reading goes on.
 * @throws RequestFailure
 */
export async function ask(
  sidecar: Sidecar,
  params: AskParams,
  { token, onPartial = () => undefined }: AskOptions,
): Promise<AskResult> {
  const seen = { hasText: false, isRepeated: false };
  for (;;) {
    try {
      return await sidecar.request('locret/ask', params, {
        token,
        onPartial: (partial) => {
          if (partial.kind === 'text') seen.hasText = true;
          onPartial(partial);
        },
      });
    } catch (error) {
      if (!(error instanceof RequestFailure) || seen.hasText || token.isCancellationRequested) throw error;
      if (error.code === 'sidecar-stopped' && !seen.isRepeated) {
        seen.isRepeated = true;
        onPartial({ kind: 'phase', phase: 'restarting' });
        if (await isStartedAgain(sidecar, token)) continue;
      } else if (error.code === 'cancelled' && (await isPaused(sidecar, params.root, token))) {
        onPartial({ kind: 'phase', phase: 'paused' });
        if (await goesOn(sidecar, params.root, token)) continue;
      }
      throw error;
    }
  }
}

/** True when the process runs again after its end, or is about to; false when it stays stopped or nobody waits. */
async function isStartedAgain(sidecar: Sidecar, token: vscode.CancellationToken): Promise<boolean> {
  await changeFrom(() => sidecar.life.state === 'running', sidecar, token);
  return !token.isCancellationRequested && sidecar.life.state !== 'stopped';
}

function stateOf(sidecar: Sidecar, root: RootUri): RootState | undefined {
  return sidecar.status.roots.find((status) => status.root === root)?.state;
}

function isUnderWay(state: RootState | undefined): boolean {
  return state === 'loading' || state === 'reading' || state === 'updating';
}

/** True when the user has paused the reading of a root. The status may tell so a little later than the request. */
async function isPaused(sidecar: Sidecar, root: RootUri, token: vscode.CancellationToken): Promise<boolean> {
  await changeFrom(() => isUnderWay(stateOf(sidecar, root)), sidecar, token);
  return stateOf(sidecar, root) === 'paused';
}

/** Waits while reading is paused: true when it goes on, false when it was dropped or nobody waits any more. */
async function goesOn(sidecar: Sidecar, root: RootUri, token: vscode.CancellationToken): Promise<boolean> {
  while (!token.isCancellationRequested && sidecar.life.state === 'running' && stateOf(sidecar, root) === 'paused') {
    await change(sidecar, token);
  }
  const state = stateOf(sidecar, root);
  return !token.isCancellationRequested && (state === 'ready' || isUnderWay(state));
}

/** Waits while what is known has not changed yet, for {@link noticeTime} at most. */
async function changeFrom(isOld: () => boolean, sidecar: Sidecar, token: vscode.CancellationToken): Promise<void> {
  const end = Date.now() + noticeTime;
  while (isOld() && !token.isCancellationRequested && Date.now() < end) await change(sidecar, token, end - Date.now());
}

/** Resolves when the sidecar tells of a change, when the token is cancelled, or after the longest time, if one is given. */
function change(sidecar: Sidecar, token: vscode.CancellationToken, longest?: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      for (const subscription of subscriptions) subscription.dispose();
      resolve();
    };
    const timer = longest === undefined ? undefined : setTimeout(end, longest);
    const subscriptions = [
      sidecar.onDidChangeLife(end),
      sidecar.onDidChangeStatus(end),
      token.onCancellationRequested(end),
    ];
  });
}
