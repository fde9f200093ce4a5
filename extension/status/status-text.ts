import type { RootStatus, RootUri, WorkspaceStatus } from '../../server/contract/protocol.js';
import type { Localization } from '../text/localization.js';
import { countText, durationText, percentText, shareRead } from '../text/quantities.js';
import type { SidecarLife } from '../sidecar/sidecar.js';
import { isBusy } from '../sidecar/workspace-status.js';
import { shortTrainingText, trainingText } from '../training/training-text.js';
import { changedFiles, describeRoot } from './root-text.js';

/** What there is to know when the status is shown. */
export interface Situation {
  readonly life: SidecarLife;
  readonly status: WorkspaceStatus;
  /** Whether a folder is open that can be read. */
  readonly hasFolder: boolean;
  /** Names of open folders that cannot: their files are not on this machine's disk. */
  readonly unreadableFolders: readonly string[];
  /** The root of the file that is being edited. */
  readonly activeRoot: RootUri | undefined;
  readonly isTrusted: boolean;
}

/** The item in the status bar. */
export interface StatusText {
  readonly text: string;
  /** For screen readers: without icons. */
  readonly label: string;
  readonly severity: 'none' | 'warning' | 'error';
}

/** What the status bar says. Of several roots, about the one where most is going on. */
export function statusText(situation: Situation, l10n: Localization): StatusText {
  const { life, hasFolder } = situation;
  if (life.state === 'stopped') return item('error', l10n.t('stopped'), life.reason, 'error');
  if (life.state === 'restarting') return item('loading~spin', l10n.t('restarting'), life.reason, 'warning');
  const { training, roots } = situation.status;
  if (training !== undefined && !roots.some((root) => isBusy(root) || root.answering)) {
    const label = `${l10n.t('Training retaining heads for {0}', training.model)}: ${trainingText(training, l10n)}`;
    return item('sync~spin', shortTrainingText(training, l10n), label);
  }
  if (!hasFolder) return item('circle-large-outline', '', l10n.t('No folder is open that can be read.'));
  if (life.state === 'starting') return item('loading~spin', '', l10n.t('The sidecar is starting.'));
  const root = rootInFocus(situation);
  return root === undefined ? item('circle-large-outline', '', l10n.t('Nothing is read yet.')) : rootItem(root, l10n);
}

/** The root that the status bar is about: a busy one, else that of the active editor, else the first. */
export function rootInFocus({ status, activeRoot }: Situation): RootStatus | undefined {
  const busy = status.roots.find(isBusy);
  const answering = status.roots.find((root) => root.answering);
  return busy ?? answering ?? status.roots.find(({ root }) => root === activeRoot) ?? status.roots[0];
}

function rootItem(root: RootStatus, l10n: Localization): StatusText {
  const label = `${root.name}: ${describeRoot(root, l10n)}`;
  const share = root.progress === undefined ? '' : percentText(shareRead(root.progress));
  switch (root.state) {
    case 'idle':
      return item('circle-large-outline', '', label);
    case 'loading':
      return item('loading~spin', l10n.t('loading'), label);
    case 'reading':
      return item('loading~spin', [l10n.t('reading {0}', share).trimEnd(), ...speed(root, l10n)].join(' · '), label);
    case 'updating':
      return item('sync~spin', l10n.t('updating {0}', share).trimEnd(), label);
    case 'paused':
      return item('debug-pause', l10n.t('paused at {0}', share), label);
    case 'failed':
      return item('error', l10n.t('failed'), label, 'error');
    case 'ready':
      if (root.answering) return item('loading~spin', l10n.t('answering'), label);
      return changedFiles(root) === 0
        ? item('pass', '', label)
        : item('history', l10n.t('{0} changed', countText(changedFiles(root), l10n)), label);
  }
}

function speed({ progress }: RootStatus, l10n: Localization): readonly string[] {
  if (progress === undefined || progress.tokensPerSecond <= 0) return [];
  const rate = l10n.t('{0} tokens/s', countText(progress.tokensPerSecond, l10n));
  return progress.secondsLeft === undefined ? [rate] : [rate, durationText(progress.secondsLeft)];
}

function item(icon: string, state: string, label: string, severity: StatusText['severity'] = 'none'): StatusText {
  return { text: `$(${icon}) Locret${state === '' ? '' : `: ${state}`}`, label: `Locret. ${label}`, severity };
}
