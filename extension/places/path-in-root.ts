import * as vscode from 'vscode';
import type { RootUri } from '../../server/contract/protocol.js';

/** A file's path relative to a root, with forward slashes; undefined when the file does not lie below it. */
export function pathInRoot(uri: vscode.Uri, root: RootUri): string | undefined {
  const folder = vscode.Uri.parse(root).path.replace(/\/?$/, '/');
  return uri.path.startsWith(folder) ? uri.path.slice(folder.length) : undefined;
}
