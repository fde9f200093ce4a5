import type { RootStatus, WorkspaceStatus } from '../../server/contract/protocol.js';
import type { Localization } from '../text/localization.js';
import type { SidecarLife } from '../sidecar/sidecar.js';
import { isBusy } from '../sidecar/workspace-status.js';

/** Commands that are not possible at any time. */
export type Command =
  | 'askRepository'
  | 'deepAsk'
  | 'read'
  | 'update'
  | 'pause'
  | 'cancel'
  | 'chooseModel'
  | 'showPlan'
  | 'showCoverage'
  | 'unload'
  | 'trainHeads'
  | 'pauseTraining'
  | 'discardTraining';

/** Why a command is not possible now, and what would make it possible. */
export interface Unavailable {
  readonly reason: string;
  readonly remedy: 'openFolder' | 'restart' | 'read' | 'trust' | 'none';
}

export interface Circumstances {
  readonly life: SidecarLife;
  readonly status: WorkspaceStatus;
  /** Whether a folder is open that can be read. */
  readonly hasFolder: boolean;
  readonly isTrusted: boolean;
  /** Whether a training was begun here that is neither finished nor given up. */
  readonly hasBegunTraining: boolean;
}

const withoutFolder: readonly Command[] = ['chooseModel', 'unload', 'trainHeads', 'pauseTraining', 'discardTraining'];

/** Why a command is not possible in this window, whatever root it is for; undefined where it is. */
export function whyUnavailable(
  command: Command,
  circumstances: Circumstances,
  l10n: Localization,
): Unavailable | undefined {
  const { life, status, hasFolder, isTrusted, hasBegunTraining } = circumstances;
  if (life.state === 'stopped') return { reason: life.reason, remedy: 'restart' };
  if (!hasFolder && !withoutFolder.includes(command)) {
    return {
      reason: l10n.t('No folder is open. Locret answers questions about the folder that is open.'),
      remedy: 'openFolder',
    };
  }
  if (command === 'pause' && !status.roots.some(isBusy)) {
    return { reason: l10n.t('Nothing is being read, so there is nothing to pause.'), remedy: 'none' };
  }
  if (command === 'cancel' && !status.roots.some((root) => isBusy(root) || root.state === 'paused')) {
    return { reason: l10n.t('Nothing is being read, so there is nothing to cancel.'), remedy: 'none' };
  }
  if (command === 'unload' && status.engine === undefined) {
    return { reason: l10n.t('No model is loaded, so there is nothing to unload.'), remedy: 'none' };
  }
  if (command === 'trainHeads' && !isTrusted) {
    return {
      reason: l10n.t('Retaining heads are trained only on folders that you trust.'),
      remedy: 'trust',
    };
  }
  if (command === 'pauseTraining' && status.training === undefined) {
    return { reason: l10n.t('Nothing is being trained, so there is nothing to pause.'), remedy: 'none' };
  }
  if (command === 'discardTraining' && status.training === undefined && !hasBegunTraining) {
    return { reason: l10n.t('No training was begun here, so there is nothing to give up.'), remedy: 'none' };
  }
  return undefined;
}

/** Why a command is not possible for a root; undefined where it is. */
export function whyUnavailableFor(command: Command, root: RootStatus, l10n: Localization): Unavailable | undefined {
  if (command === 'showCoverage' && root.memory === undefined) {
    return {
      reason: l10n.t('{0} has not been read in this session, so there is nothing to show yet.', root.name),
      remedy: 'read',
    };
  }
  if (command === 'update' && root.memory === undefined && !root.snapshot) {
    return { reason: l10n.t('{0} has not been read yet, so there is nothing to update.', root.name), remedy: 'read' };
  }
  return undefined;
}
