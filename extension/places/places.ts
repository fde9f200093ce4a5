import * as vscode from 'vscode';
import type { RootUri } from '../../server/contract/protocol.js';
import { staysInside } from './place-path.js';

const highlightTime = 2_500;

/** The root a file belongs to; undefined for files outside and for folders that are not on a disk of this machine. */
export function rootOf(uri: vscode.Uri): RootUri | undefined {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  return folder?.uri.scheme === 'file' ? folder.uri.toString() : undefined;
}

/** The open folders that can be read. */
export function readableFolders(): readonly vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
}

/** The open folders whose files are not on a disk of this machine, so that no model can read them. */
export function unreadableFolders(): readonly vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme !== 'file');
}

/**
 * Opens a file of a root at a line: the lines are in the middle of the editor and highlighted for a moment. The user is told
 * when the file is gone, and when the path leads out of the root.
 * @param path relative to the root, with forward slashes
 * @param line 1-based; a line behind the end means the last one
 */
export async function openPlace(root: RootUri, path: string, line: number, endLine = line): Promise<void> {
  const folder = readableFolders().find(({ uri }) => uri.toString() === root);
  if (folder === undefined || !staysInside(path, process.platform === 'win32')) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('{0} does not lie in an open folder, so it is not opened.', path),
    );
    return;
  }
  try {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, path));
    const lines = document.validateRange(new vscode.Range(line - 1, 0, endLine - 1, Number.MAX_SAFE_INTEGER));
    const editor = await vscode.window.showTextDocument(document, {
      selection: new vscode.Range(lines.start, lines.start),
    });
    editor.revealRange(lines, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    highlight(editor, lines);
  } catch {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('{0} cannot be opened: it is no longer there, or no text.', path),
    );
  }
}

function highlight(editor: vscode.TextEditor, lines: vscode.Range): void {
  const decoration = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    // High-contrast themes have no such background; they have this border.
    outline: '1px solid',
    outlineColor: new vscode.ThemeColor('editor.rangeHighlightBorder'),
  });
  editor.setDecorations(decoration, [lines]);
  setTimeout(() => {
    decoration.dispose();
  }, highlightTime);
}
