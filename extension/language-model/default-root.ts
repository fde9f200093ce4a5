import * as vscode from 'vscode';
import type { RootUri } from '../../server/contract/protocol.js';
import { readableFolders, rootOf } from '../places/places.js';

/**
 * The root that a chat means, where nobody can be asked: that of the active editor, or the first folder. Undefined when
 * no folder is open.
 */
export function defaultRoot(): RootUri | undefined {
  const editor = vscode.window.activeTextEditor;
  return (editor && rootOf(editor.document.uri)) ?? readableFolders()[0]?.uri.toString();
}
