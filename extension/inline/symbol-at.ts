import * as vscode from 'vscode';
import type { DefinitionAtParams } from '../../server/protocol.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { namesSomething } from './symbol-word.js';

/** A name to ask about, and the lines beside which it is answered; 1-based and inclusive. */
export interface AskedSymbol {
  readonly uri: vscode.Uri;
  readonly name: string;
  readonly line: number;
  readonly endLine: number;
}

/** The innermost definition around a line. @throws RequestFailure */
export async function symbolAtLine(sidecar: Sidecar, place: DefinitionAtParams): Promise<AskedSymbol | undefined> {
  const definition = await sidecar.request('locret/definitionAt', { uri: place.uri, line: place.line });
  if (definition === null) return undefined;
  const { name, line, endLine } = definition;
  return { uri: vscode.Uri.parse(place.uri), name, line, endLine };
}

/**
 * What is meant at the cursor: the name under it, beside its own line where it is used and beside the definition where it
 * is defined; elsewhere the definition around it.
 * @throws RequestFailure
 */
export async function symbolAtCursor(
  sidecar: Sidecar,
  { document, selection }: vscode.TextEditor,
): Promise<AskedSymbol | undefined> {
  const cursor = selection.active;
  const around = await symbolAtLine(sidecar, { uri: document.uri.toString(), line: cursor.line + 1 });
  const range = document.getWordRangeAtPosition(cursor);
  const word = range === undefined ? '' : document.getText(range);
  if (!namesSomething(word) || word === around?.name) return around;
  return { uri: document.uri, name: word, line: cursor.line + 1, endLine: cursor.line + 1 };
}
