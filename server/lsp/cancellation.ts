import type { CancellationToken } from 'vscode-languageserver';

/** Runs a task with a signal that fires when the client cancels its request. */
export async function withSignal<Result>(
  token: CancellationToken,
  task: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  const listening = token.onCancellationRequested(() => {
    controller.abort();
  });
  try {
    return await task(controller.signal);
  } finally {
    listening.dispose();
  }
}
