import * as vscode from 'vscode';
import type { ChangedFile } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { changedText } from '../status/root-text.js';
import { changeText, rememberedScheme } from './node-item.js';
import type { RememberedRoots } from './remembered-roots.js';
import { wayTo } from './retention-tree.js';

interface Mark {
  readonly badge: string;
  readonly color: string;
}

/** As the explorer marks what has changed since the last commit. */
const marks: Readonly<Record<ChangedFile['change'], Mark>> = {
  modified: { badge: 'M', color: 'gitDecoration.modifiedResourceForeground' },
  added: { badge: 'A', color: 'gitDecoration.untrackedResourceForeground' },
  removed: { badge: 'D', color: 'gitDecoration.deletedResourceForeground' },
};

/** Marks what has changed since it was read, in the view of what is remembered. */
export function markStaleFiles(remembered: RememberedRoots): vscode.Disposable {
  const changed = new vscode.EventEmitter<undefined>();
  const registration = vscode.window.registerFileDecorationProvider({
    onDidChangeFileDecorations: changed.event,
    provideFileDecoration: (uri) => (uri.scheme === rememberedScheme ? decorationOf(remembered, uri) : undefined),
  });
  const subscription = remembered.onDidChange(() => {
    changed.fire(undefined);
  });
  return vscode.Disposable.from(registration, subscription, changed);
}

function decorationOf(remembered: RememberedRoots, uri: vscode.Uri): vscode.FileDecoration | undefined {
  const tree = remembered.tree(uri.query);
  const node = tree && wayTo(tree, uri.path.slice(1))?.at(-1);
  if (node === undefined) return undefined;
  if (node.kind === 'folder') {
    if (node.changed === 0) return undefined;
    const tooltip = changedText(node.changed, displayLanguage);
    return new vscode.FileDecoration(undefined, tooltip, new vscode.ThemeColor(marks.modified.color));
  }
  if (node.change === undefined) return undefined;
  const { badge, color } = marks[node.change];
  return new vscode.FileDecoration(badge, changeText(node.change), new vscode.ThemeColor(color));
}
