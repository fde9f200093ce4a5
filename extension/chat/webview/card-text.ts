import type { LifeView, PageCommand, PlanView, RootView } from '../messages.js';
import { l10n } from './localization.js';
import { amount, bytes } from './quantities.js';

/** A button of the memory card. */
export interface CardAction {
  readonly label: string;
  readonly title?: string;
  readonly isSecondary?: boolean;
  readonly command?: PageCommand;
  readonly memory?: 'read' | 'update' | 'pause' | 'cancel';
}

/** What the memory card says of a root, or of the sidecar. */
export interface CardText {
  readonly icon: string;
  readonly tone: 'plain' | 'busy' | 'good' | 'warning' | 'error';
  readonly title: string;
  readonly lines: readonly string[];
  readonly actions: readonly CardAction[];
  readonly hasProgress?: boolean;
}

function showLog(): CardAction {
  return { label: l10n.t('Show Log'), isSecondary: true, command: 'locret.showLog' };
}

/** The card where no folder is open. */
export function noFolderText(): CardText {
  return {
    icon: 'folder',
    tone: 'plain',
    title: l10n.t('No folder is open'),
    lines: [l10n.t('Locret answers questions about the folder that is open.')],
    actions: [{ label: l10n.t('Open Folder'), command: 'vscode.openFolder' }],
  };
}

/** The card while the sidecar does not run; undefined while it does. */
export function lifeText(life: LifeView): CardText | undefined {
  const lines = life.reason === undefined ? [] : [life.reason];
  switch (life.state) {
    case 'running':
      return undefined;
    case 'starting':
      return { icon: 'loading', tone: 'busy', title: l10n.t('Starting…'), lines, actions: [] };
    case 'restarting':
      return { icon: 'loading', tone: 'busy', title: l10n.t('Restarting the sidecar…'), lines, actions: [showLog()] };
    case 'stopped':
      return {
        icon: 'debug-disconnect',
        tone: 'error',
        title: l10n.t('The sidecar is stopped'),
        lines: [...lines, l10n.t('Conversations and saved memories are kept.')],
        actions: [{ label: l10n.t('Restart'), command: 'locret.restart' }, showLog()],
      };
  }
}

function planLines(plan: PlanView | undefined): string[] {
  if (plan === undefined) return [];
  return [
    l10n.t(
      'It takes {0} of memory at most. {1} of that is the cache, however large the repository is.',
      bytes(plan.peakBytes),
      bytes(plan.cacheBytes),
    ),
    ...(plan.peakBytes > plan.freeBytes ? [l10n.t('Only {0} are free now.', bytes(plan.freeBytes))] : []),
    ...plan.notices,
  ];
}

function idleText({ snapshot, plan, notices }: RootView): CardText {
  if (snapshot) {
    return {
      icon: 'archive',
      tone: 'plain',
      title: l10n.t('Remembered from last time'),
      lines: [l10n.t('The saved memory is loaded with your first question.'), ...notices],
      actions: [{ label: l10n.t('Load It Now'), isSecondary: true, memory: 'read' }],
    };
  }
  return {
    icon: 'book',
    tone: 'plain',
    title: l10n.t('Not read yet'),
    lines: [
      l10n.t('Every file passes once through the model on this machine; nothing leaves it.'),
      ...planLines(plan),
      ...notices,
    ],
    actions: [
      { label: l10n.t('Read Repository'), memory: 'read' },
      { label: l10n.t('Memory Plan'), isSecondary: true, command: 'locret.showPlan' },
    ],
  };
}

function readyText({ memory, notices }: RootView): CardText {
  const changed = memory?.changed ?? 0;
  const facts =
    memory === undefined ? [] : [l10n.t('{0} files, {1} tokens', amount(memory.filesRead), amount(memory.tokensRead))];
  if (changed === 0) {
    return { icon: 'pass', tone: 'good', title: l10n.t('Ready'), lines: [...facts, ...notices], actions: [] };
  }
  return {
    icon: 'history',
    tone: 'warning',
    title: changed === 1 ? l10n.t('1 file changed') : l10n.t('{0} files changed', amount(changed)),
    lines: notices,
    actions: [
      {
        label: l10n.t('Fold In'),
        title: l10n.t('Read what has changed into the memory'),
        isSecondary: true,
        memory: 'update',
      },
    ],
  };
}

const stopReading = (): CardAction[] => [
  {
    label: l10n.t('Pause'),
    title: l10n.t('Pause reading; what was read is kept'),
    isSecondary: true,
    memory: 'pause',
  },
  {
    label: l10n.t('Cancel'),
    title: l10n.t('Stop reading and drop what was read; an earlier memory stays'),
    isSecondary: true,
    memory: 'cancel',
  },
];

/** What the card says of a root. */
export function rootText(view: RootView): CardText {
  switch (view.state) {
    case 'idle':
      return idleText(view);
    case 'loading':
      return { icon: 'loading', tone: 'busy', title: l10n.t('Loading…'), lines: view.notices, actions: [] };
    case 'reading':
      return {
        icon: 'book',
        tone: 'busy',
        title: l10n.t('Reading'),
        lines: view.notices,
        actions: stopReading(),
        hasProgress: true,
      };
    case 'updating':
      return {
        icon: 'sync',
        tone: 'busy',
        title: l10n.t('Folding in what has changed'),
        lines: view.notices,
        actions: stopReading(),
        hasProgress: true,
      };
    case 'paused':
      return {
        icon: 'debug-pause',
        tone: 'plain',
        title: l10n.t('Paused'),
        lines: [l10n.t('What was read is kept, also over a restart.'), ...view.notices],
        actions: [
          { label: l10n.t('Continue'), memory: 'read' },
          {
            label: l10n.t('Drop'),
            title: l10n.t('Drop what was read; an earlier memory stays'),
            isSecondary: true,
            memory: 'cancel',
          },
        ],
        hasProgress: true,
      };
    case 'ready':
      return readyText(view);
    case 'failed':
      return {
        icon: 'error',
        tone: 'error',
        title: l10n.t('Reading failed'),
        lines: view.error === undefined ? [] : [view.error.message, view.error.remedy],
        actions: [
          { label: l10n.t('Try Again'), memory: 'read' },
          { label: l10n.t('Choose Model'), isSecondary: true, command: 'locret.chooseModel' },
          showLog(),
        ],
      };
  }
}
