import type { MemorySource, RootStatus, TrainingStatus, WorkspaceStatus } from '../../server/contract/protocol.js';
import { escapeMarkdown } from '../text/linkless-markdown.js';
import type { Localization } from '../text/localization.js';
import { ageText, bytesText, countText } from '../text/quantities.js';
import { overlapText } from '../training/training-text.js';
import { changedFiles, changedText, stateText } from './root-text.js';
import type { Situation } from './status-text.js';

/** The commands that the tooltip's links may run. */
export const tooltipCommands = [
  'locret.askRepository',
  'locret.read',
  'locret.update',
  'locret.pause',
  'locret.cancel',
  'locret.showCoverage',
  'locret.showPlan',
  'locret.showRemembered',
  'locret.chooseModel',
  'locret.unload',
  'locret.pauseTraining',
  'locret.discardTraining',
  'locret.restart',
  'locret.showLog',
  'locret.openWalkthrough',
  'workbench.action.files.openFolder',
  'workbench.trust.manage',
] as const;

type TooltipCommand = (typeof tooltipCommands)[number];

/** Length of the bar that shows how full the cache is. */
const barLength = 16;

/**
 * A small dashboard as Markdown: each root's memory, the model, and links to what can be done. How far a reading is stands
 * in the item itself: a tooltip that changed with it would flicker.
 * @param now milliseconds since 1970
 */
export function statusTooltip(situation: Situation, now: number, l10n: Localization): string {
  const { life, status, hasFolder, unreadableFolders, isTrusted } = situation;
  const parts: string[] = [];
  if ('reason' in life) parts.push(`$(warning) ${escapeMarkdown(life.reason)}`);
  if (!hasFolder) {
    const openFolder = link('workbench.action.files.openFolder', l10n.t('Open Folder'));
    parts.push(`${l10n.t('No folder is open that can be read.')} ${openFolder}`);
  }
  if (life.state !== 'stopped') {
    parts.push(...status.roots.map((root) => rootPart(root, now, l10n)));
    parts.push(
      ...unreadableFolders.map((name) => {
        const reason = l10n.t('not on this machine’s disk, so it cannot be read');
        return `$(folder) **${escapeMarkdown(name)}** · ${reason}`;
      }),
    );
    if (status.model !== '') parts.push(modelPart(status, l10n));
    if (status.training !== undefined) parts.push(trainingPart(status.training, l10n));
  }
  if (!isTrusted) {
    const manage = link('workbench.trust.manage', l10n.t('Manage Trust'));
    parts.push(
      `$(shield) ${l10n.t('Restricted mode: the model comes from your user settings only, not from this folder’s.')} ${manage}`,
    );
  }
  parts.push(linkLine(situation, l10n));
  return parts.join('\n\n---\n\n');
}

function rootPart(root: RootStatus, now: number, l10n: Localization): string {
  const lines = [`$(folder) **${escapeMarkdown(root.name)}** · ${escapeMarkdown(stateText(root, l10n))}`];
  if (root.memory !== undefined) {
    const { filesRead, tokensRead, skipped, units, budget, made, source } = root.memory;
    const coverage = [
      l10n.t('{0} files read', countText(filesRead, l10n)),
      l10n.t('{0} skipped', countText(skipped, l10n)),
      l10n.t('{0} tokens', countText(tokensRead, l10n)),
    ];
    lines.push(
      link('locret.showCoverage', coverage.join(' · '), root),
      `${bar(units / budget)} ${l10n.t('{0} cache units per KV head, budget {1}', countText(units, l10n), countText(budget, l10n))}`,
      madeText(source, ageText(made, now, l10n), l10n),
    );
  }
  lines.push(...root.notices.map((notice) => `$(info) ${escapeMarkdown(notice)}`));
  if (root.error !== undefined) lines.push(escapeMarkdown(root.error.remedy));
  const actions = rootActions(root, l10n);
  if (actions.length > 0) lines.push(actions.join(' · '));
  return lines.join('\\\n');
}

function madeText(source: MemorySource, age: string, l10n: Localization): string {
  switch (source) {
    case 'read':
      return l10n.t('Read {0}', age);
    case 'snapshot':
      return l10n.t('Restored from a snapshot of {0}', age);
    case 'update':
      return l10n.t('Last updated {0}', age);
  }
}

function rootActions(root: RootStatus, l10n: Localization): readonly string[] {
  switch (root.state) {
    case 'loading':
    case 'reading':
    case 'updating':
      return [
        link('locret.pause', `$(debug-pause) ${l10n.t('Pause')}`, root),
        link('locret.cancel', `$(close) ${l10n.t('Cancel')}`, root),
      ];
    case 'paused':
      return [
        link('locret.read', `$(play) ${l10n.t('Go On')}`, root),
        link('locret.cancel', `$(close) ${l10n.t('Drop')}`, root),
      ];
    case 'failed':
    case 'idle':
      return [link('locret.read', `$(book) ${l10n.t('Read')}`, root)];
    case 'ready': {
      const changed = changedFiles(root);
      const update = `$(refresh) ${l10n.t('Update: {0}', changedText(changed, l10n))}`;
      return changed === 0 ? [] : [link('locret.update', update, root)];
    }
  }
}

function modelPart({ model, engine }: WorkspaceStatus, l10n: Localization): string {
  const name = `$(chip) **${escapeMarkdown(model)}**`;
  if (engine === undefined) return `${name} · ${l10n.t('not loaded; it is when you ask')}`;
  const facts = [engine.backend, engine.precision, l10n.t('policy {0}', engine.policy)].map(escapeMarkdown);
  const bytes = l10n.t(
    '{0} of weights, {1} of cache',
    bytesText(engine.weightBytes, l10n),
    bytesText(engine.cacheBytes, l10n),
  );
  return `${[name, ...facts].join(' · ')}\\\n${bytes}`;
}

/** How far it is stands in the item itself, as with a reading. */
function trainingPart({ model, out, overlap }: TrainingStatus, l10n: Localization): string {
  const lines = [
    `$(mortar-board) **${escapeMarkdown(l10n.t('Training retaining heads for {0}', model))}**`,
    escapeMarkdown(out),
  ];
  if (overlap !== undefined) {
    lines.push(
      l10n.t('overlap {0} on samples held out (chance {1})', overlapText(overlap, l10n), overlapText(0.1, l10n)),
    );
  }
  const actions = [
    link('locret.pauseTraining', `$(debug-pause) ${l10n.t('Pause')}`),
    link('locret.discardTraining', `$(trash) ${l10n.t('Give It Up…')}`),
  ];
  return [...lines, actions.join(' · ')].join('\\\n');
}

function linkLine({ life, status, hasFolder }: Situation, l10n: Localization): string {
  const stopped = life.state === 'stopped';
  const links = [
    ...(hasFolder && !stopped ? [link('locret.askRepository', l10n.t('Ask'))] : []),
    ...(hasFolder && !stopped ? [link('locret.showRemembered', l10n.t('What Is Remembered'))] : []),
    ...(hasFolder && !stopped ? [link('locret.showPlan', l10n.t('Memory Plan'))] : []),
    ...(stopped ? [] : [link('locret.chooseModel', l10n.t('Choose Model'))]),
    ...(status.engine === undefined ? [] : [link('locret.unload', l10n.t('Unload Model'))]),
    ...(stopped ? [link('locret.restart', l10n.t('Restart'))] : []),
    link('locret.showLog', l10n.t('Log')),
    link('locret.openWalkthrough', l10n.t('Introduction')),
  ];
  return links.join(' · ');
}

function link(command: TooltipCommand, label: string, root?: RootStatus): string {
  const argument = root === undefined ? '' : `?${encodeURIComponent(JSON.stringify([root.root]))}`;
  return `[${label}](command:${command}${argument})`;
}

function bar(share: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, share)) * barLength);
  return '▰'.repeat(filled) + '▱'.repeat(barLength - filled);
}
