import * as vscode from 'vscode';
import type { ChangedFile, RootUri, SkippedFile } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { countText } from '../text/quantities.js';
import { escapeMarkdown } from '../text/linkless-markdown.js';
import { barFill, shareText } from './retention-scale.js';
import type { FileNode, FolderNode, RetentionNode, RootNode, SkippedGroup, SkippedNode } from './retention-tree.js';
import { shareBar } from './share-bar.js';

/** Scheme of the view's own resources: what is said about them is said in this view only, not in the explorer. */
export const rememberedScheme = 'locret-remembered';

/** The address of a file or folder in the view. */
export function rememberedUri(root: RootUri, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: rememberedScheme, path: `/${path}`, query: root });
}

/** The file itself. */
export function fileUri(root: RootUri, path: string): vscode.Uri {
  return vscode.Uri.joinPath(vscode.Uri.parse(root), path);
}

/** What the view shows of a node; its tooltip comes later. */
export function itemOf(node: RetentionNode, root: RootNode): vscode.TreeItem {
  switch (node.kind) {
    case 'root':
      return rootItem(node);
    case 'folder':
      return rememberedItem(node, root, vscode.TreeItemCollapsibleState.Collapsed);
    case 'file':
      return fileItem(node, root);
    case 'skipped-group':
      return skippedGroupItem(node);
    case 'skipped':
      return skippedItem(node);
  }
}

function rootItem(root: RootNode): vscode.TreeItem {
  const item = new vscode.TreeItem(root.name, vscode.TreeItemCollapsibleState.Expanded);
  item.id = root.root;
  item.iconPath = new vscode.ThemeIcon('root-folder');
  item.description = shareText(root.folder.kept, displayLanguage);
  return item;
}

function rememberedItem(
  node: FolderNode | FileNode,
  { folder }: RootNode,
  state: vscode.TreeItemCollapsibleState,
): vscode.TreeItem {
  const item = new vscode.TreeItem(node.name, state);
  item.id = `${node.root}\n${node.path}`;
  item.resourceUri = rememberedUri(node.root, node.path);
  const fill = barFill(node.kept, folder.kept);
  item.iconPath = { light: vscode.Uri.parse(shareBar(fill, 'light')), dark: vscode.Uri.parse(shareBar(fill, 'dark')) };
  const share = shareText(node.kept, displayLanguage);
  item.description = share;
  item.accessibilityInformation = { label: vscode.l10n.t('{0}, {1} kept', node.name, share) };
  return item;
}

function fileItem(node: FileNode, root: RootNode): vscode.TreeItem {
  const item = rememberedItem(node, root, vscode.TreeItemCollapsibleState.None);
  if (node.change === 'added') item.description = vscode.l10n.t('not read yet');
  if (node.change !== 'removed') item.command = openCommand(node.root, node.path);
  return item;
}

function openCommand(root: RootUri, path: string): vscode.Command {
  return { command: 'vscode.open', title: vscode.l10n.t('Open'), arguments: [fileUri(root, path)] };
}

function skippedGroupItem({ root, files }: SkippedGroup): vscode.TreeItem {
  const label = vscode.l10n.t('Skipped ({0})', countText(files.length, displayLanguage));
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `${root}\n\nskipped`;
  item.iconPath = new vscode.ThemeIcon('circle-slash');
  item.tooltip = vscode.l10n.t('These files are not in the memory.');
  return item;
}

function skippedItem({ root, file }: SkippedNode): vscode.TreeItem {
  const item = new vscode.TreeItem(file.path, vscode.TreeItemCollapsibleState.None);
  item.id = `${root}\n\nskipped\n${file.path}`;
  item.description = reasonText(file.reason);
  item.tooltip = `${file.path}\n${reasonText(file.reason)}: ${file.detail}`;
  const isFolder = file.path.endsWith('/');
  item.iconPath = isFolder ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
  item.resourceUri = fileUri(root, file.path);
  if (!isFolder && file.reason !== 'vanished') item.command = openCommand(root, file.path);
  return item;
}

function reasonText(reason: SkippedFile['reason']): string {
  switch (reason) {
    case 'binary':
      return vscode.l10n.t('binary');
    case 'generated':
      return vscode.l10n.t('generated');
    case 'lock-file':
      return vscode.l10n.t('lock file');
    case 'too-large':
      return vscode.l10n.t('too large');
    case 'unreadable':
      return vscode.l10n.t('cannot be read');
    case 'symlink-outside':
      return vscode.l10n.t('link out of the folder');
    case 'nested-repository':
      return vscode.l10n.t('repository of its own');
    case 'not-utf8':
      return vscode.l10n.t('unknown text encoding');
    case 'vanished':
      return vscode.l10n.t('vanished while reading');
    case 'empty':
      return vscode.l10n.t('empty');
  }
}

/** What has become of a file since it was read, in a sentence. */
export function changeText(change: ChangedFile['change']): string {
  switch (change) {
    case 'modified':
      return vscode.l10n.t('Changed since it was read');
    case 'added':
      return vscode.l10n.t('New since the repository was read');
    case 'removed':
      return vscode.l10n.t('Removed since it was read');
  }
}

/** Everything that is known of a node. */
export function tooltipOf(node: RetentionNode, root: RootNode): vscode.MarkdownString | undefined {
  const part = node.kind === 'root' ? node.folder : node;
  if (part.kind === 'skipped-group' || part.kind === 'skipped') return undefined;
  const { kept, tokens } = part;
  const average = root.folder.kept;
  const lines = [
    `**${escapeMarkdown(part.path === '' ? root.name : part.path)}**`,
    vscode.l10n.t(
      'Of the cache units of its {0} tokens, every KV head keeps {1} on average: {2}.',
      countText(tokens, displayLanguage),
      (tokens * kept).toLocaleString(displayLanguage.language, { maximumSignificantDigits: 2 }),
      shareText(kept, displayLanguage),
    ),
  ];
  if (part !== root.folder && average > 0)
    lines.push(
      vscode.l10n.t(
        'That is {0} × the average of the repository.',
        (kept / average).toLocaleString(displayLanguage.language, { maximumSignificantDigits: 2 }),
      ),
    );
  if (part.kind === 'folder') lines.push(vscode.l10n.t('Files: {0}', countText(part.files, displayLanguage)));
  if (part.kind === 'file' && part.change !== undefined) lines.push(`⚠ ${changeText(part.change)}`);
  return new vscode.MarkdownString(lines.join('\n\n'));
}
