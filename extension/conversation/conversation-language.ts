import * as vscode from 'vscode';
import { existingFile } from './existing-file.js';
import { placesInText } from './places-in-text.js';
import { turnRanges } from './turn-ranges.js';

export const conversationLanguage = 'locret-conversation';

/** The file that a path names in one of the workspace's folders, plain or behind the folder's name. */
async function fileInWorkspace(path: string): Promise<string | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  for (const { uri, name } of folders) {
    const plain = await existingFile(uri.fsPath, path);
    if (plain !== undefined) return plain;
    const inFolder = path.startsWith(`${name}/`) ? path.slice(name.length + 1) : undefined;
    const named = inFolder === undefined ? undefined : await existingFile(uri.fsPath, inFolder);
    if (named !== undefined) return named;
  }
  return undefined;
}

async function provideDocumentLinks(
  document: vscode.TextDocument,
  token: vscode.CancellationToken,
): Promise<vscode.DocumentLink[]> {
  const files = new Map<string, string | undefined>();
  const links: vscode.DocumentLink[] = [];
  for (const { start, end, path, line } of placesInText(document.getText())) {
    if (token.isCancellationRequested) break;
    if (!files.has(path)) files.set(path, await fileInWorkspace(path));
    const file = files.get(path);
    if (file === undefined) continue;
    const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
    const link = new vscode.DocumentLink(range, vscode.Uri.file(file).with({ fragment: `L${line}` }));
    link.tooltip = vscode.l10n.t('Open {0} at line {1}', path, line);
    links.push(link);
  }
  return links;
}

function provideFoldingRanges(document: vscode.TextDocument): vscode.FoldingRange[] {
  const lines = Array.from({ length: document.lineCount }, (_, index) => document.lineAt(index).text);
  return turnRanges(lines).map(({ start, end }) => new vscode.FoldingRange(start, end));
}

/** What exported conversations can do in an editor: links to files that exist, and folding by turn. */
export function registerConversationLanguage(): vscode.Disposable {
  const selector: vscode.DocumentSelector = { language: conversationLanguage };
  return vscode.Disposable.from(
    vscode.languages.registerDocumentLinkProvider(selector, { provideDocumentLinks }),
    vscode.languages.registerFoldingRangeProvider(selector, { provideFoldingRanges }),
  );
}
