import * as vscode from 'vscode';
import type { DefinitionAtParams } from '../../server/contract/protocol.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { namesSomething } from './symbol-word.js';

/** A name to ask about, and the line (1-based) beside which it is answered. */
export interface AskedSymbol {
  readonly uri: vscode.Uri;
  readonly name: string;
  readonly line: number;
}

/** The innermost definition around a line; it is answered there and not at the definition's end, which may be far. */
export async function symbolAtLine(sidecar: Sidecar, place: DefinitionAtParams): Promise<AskedSymbol | undefined> {
  const { uri, line } = place;
  const definition = await sidecar.request('locret/definitionAt', { uri, line });
  return definition === null ? undefined : { uri: vscode.Uri.parse(uri), name: definition.name, line };
}

/** What is meant at the cursor: the name under it, elsewhere the definition around it. */
export async function symbolAtCursor(
  sidecar: Sidecar,
  { document, selection }: vscode.TextEditor,
): Promise<AskedSymbol | undefined> {
  const cursor = selection.active;
  const line = cursor.line + 1;
  const range = document.getWordRangeAtPosition(cursor);
  const word = range === undefined ? '' : document.getText(range);
  if (namesSomething(word)) return { uri: document.uri, name: word, line };
  return symbolAtLine(sidecar, { uri: document.uri.toString(), line });
}
