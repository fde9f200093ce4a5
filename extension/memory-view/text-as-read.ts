import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import { linesOfText } from '../places/document-lines.js';

/**
 * The lines of a document's file as they were when it was read; undefined when the file on disk is another one now.
 * @param hash SHA-256 of the file as it was read, hex
 */
export async function linesAsRead(document: vscode.TextDocument, hash: string): Promise<readonly string[] | undefined> {
  const bytes = await contentsOf(document.uri);
  if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== hash) return undefined;
  const text = document.isDirty ? await vscode.workspace.decode(bytes, { uri: document.uri }) : document.getText();
  return linesOfText(text);
}

/** A file that cannot be read is no longer there. */
async function contentsOf(uri: vscode.Uri): Promise<Uint8Array | undefined> {
  try {
    return await vscode.workspace.fs.readFile(uri);
  } catch {
    return undefined;
  }
}
