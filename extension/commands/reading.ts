import * as vscode from 'vscode';
import type { RootStatus, RootUri } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { countText, progressText, shareRead } from '../text/quantities.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { isBusy } from '../sidecar/workspace-status.js';
import { changedFiles, changedText } from '../status/root-text.js';
import { rootArgument } from './root-argument.js';

/**
 * Reads a root, or goes on where its reading was paused, and shows how far it is; cancelling pauses. Asks first when it was
 * read already.
 */
export async function readRoot(sidecar: Sidecar, root: RootUri): Promise<void> {
  const before = sidecar.status.roots.find((candidate) => candidate.root === root);
  let fresh = false;
  if (before?.state === 'ready') {
    const again = vscode.l10n.t('Read Again');
    const update = vscode.l10n.t('Update');
    const changed = changedFiles(before);
    const message =
      changed === 0
        ? vscode.l10n.t('{0} was read already, and nothing has changed since.', before.name)
        : vscode.l10n.t('{0} was read already; {1} since.', before.name, changedText(changed, displayLanguage));
    const chosen = await vscode.window.showInformationMessage(message, ...(changed === 0 ? [] : [update]), again);
    if (chosen === update) await updateRoot(sidecar, root);
    if (chosen !== again) return;
    fresh = true;
  }
  const name = before?.name ?? root;
  const after = await withProgress(sidecar, root, vscode.l10n.t('Reading {0}', name), (token) =>
    sidecar.request('locret/read', { root, fresh }, { token }),
  );
  tellMemory(after);
}

/** Folds changed files into a root's memory and shows how far it is. */
export async function updateRoot(sidecar: Sidecar, root: RootUri): Promise<void> {
  const name = sidecar.status.roots.find((candidate) => candidate.root === root)?.name ?? root;
  const after = await withProgress(sidecar, root, vscode.l10n.t('Updating {0}', name), (token) =>
    sidecar.request('locret/update', { root }, { token }),
  );
  tellMemory(after);
}

/** Runs a task with a notification that shows how far a root is and can cancel it. */
function withProgress<Result>(
  sidecar: Sidecar,
  root: RootUri,
  title: string,
  task: (token: vscode.CancellationToken) => Promise<Result>,
): Thenable<Result> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    let shown = 0;
    const show = (): void => {
      const status = sidecar.status.roots.find((candidate) => candidate.root === root);
      if (status?.state === 'loading') progress.report({ message: vscode.l10n.t('loading the model') });
      if (status?.progress === undefined || (status.state !== 'reading' && status.state !== 'updating')) return;
      const percent = 100 * shareRead(status.progress);
      progress.report({
        message: progressText(status.progress, displayLanguage),
        increment: Math.max(0, percent - shown),
      });
      shown = Math.max(shown, percent);
    };
    const subscription = sidecar.onDidChangeStatus(show);
    try {
      return await task(token);
    } finally {
      subscription.dispose();
    }
  });
}

function tellMemory({ name, memory }: RootStatus): void {
  if (memory === undefined) return;
  const files = countText(memory.filesRead, displayLanguage);
  const skipped = countText(memory.skipped, displayLanguage);
  const text = vscode.l10n.t('{0} is in memory: {1} files read, {2} skipped.', name, files, skipped);
  vscode.window.setStatusBarMessage(`$(pass) ${text}`, 8_000);
}

/**
 * Ends a reading or an update.
 * @param argument the root; else the one that is busy, or paused
 * @param keep true: pause, and go on later; false: drop what was read of an unfinished memory
 */
export async function stopReading(sidecar: Sidecar, argument: unknown, keep: boolean): Promise<void> {
  const { roots } = sidecar.status;
  const root =
    rootArgument(argument) ?? roots.find(isBusy)?.root ?? roots.find(({ state }) => state === 'paused')?.root;
  if (root !== undefined) await sidecar.request('locret/stopReading', { root, keep });
}
