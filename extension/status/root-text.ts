import type { RootStatus } from '../../server/contract/protocol.js';
import type { Localization } from '../text/localization.js';
import { countText, percentText, progressText, shareRead } from '../text/quantities.js';

/** One line about a root: what its memory is at, and how far. */
export function describeRoot(root: RootStatus, l10n: Localization): string {
  const { state, progress } = root;
  const isMoving = state === 'reading' || state === 'updating';
  const text = stateText(root, l10n);
  return isMoving && progress !== undefined ? `${text}: ${progressText(progress, l10n)}` : text;
}

/** What a root's memory is at, without what changes all the time. */
export function stateText(root: RootStatus, l10n: Localization): string {
  const { state, progress } = root;
  switch (state) {
    case 'idle':
      if (root.memory !== undefined) return l10n.t('read; its memory is restored when you ask');
      return root.snapshot ? l10n.t('read earlier; its snapshot is restored when you ask') : l10n.t('not read yet');
    case 'loading':
      return l10n.t('loading the model');
    case 'reading':
      return l10n.t('reading');
    case 'updating':
      return l10n.t('updating');
    case 'paused':
      return progress === undefined ? l10n.t('paused') : l10n.t('paused at {0}', percentText(shareRead(progress)));
    case 'failed':
      return root.error?.message ?? l10n.t('failed');
    case 'ready':
      if (root.answering) return l10n.t('answering');
      return changedFiles(root) === 0 ? l10n.t('ready') : l10n.t('ready; {0}', changedText(changedFiles(root), l10n));
  }
}

/** Files of a root that changed since they were read. */
export function changedFiles(root: RootStatus): number {
  return root.memory?.changed ?? 0;
}

/** `1 file changed`, `3 files changed` */
export function changedText(count: number, l10n: Localization): string {
  return count === 1 ? l10n.t('1 file changed') : l10n.t('{0} files changed', countText(count, l10n));
}
