import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { TextDocuments, TextDocumentSyncKind, type Connection } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { outlineSource } from '../repository/outline.js';
import { languageOf } from '../repository/languages.js';
import type { Definition } from '../repository/source.js';

export { TextDocumentSyncKind };

/** Longer documents have no outline here. Bytes. */
const maxBytes = 4 << 20;

interface Outline {
  readonly version: string;
  readonly definitions: Promise<readonly Definition[]>;
}

/** The path of a `file:` URI; undefined for any other. */
export function filePathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

/** The documents that the client has open, and the definitions of any document as it is now. */
export class OpenDocuments {
  private readonly documents = new TextDocuments(TextDocument);
  /** One outline per open document, until it changes or is closed. */
  private readonly outlines = new Map<string, Outline>();

  listen(connection: Connection): void {
    this.documents.listen(connection);
    this.documents.onDidClose(({ document }) => {
      this.outlines.delete(document.uri);
    });
  }

  /** The text of an open document; undefined when it is not open. */
  get(uri: string): TextDocument | undefined {
    return this.documents.get(uri);
  }

  /** The definitions of a document as it is open, or as it is on disk; none for what cannot be read or has no grammar. */
  async definitions(uri: string): Promise<readonly Definition[]> {
    const file = filePathOf(uri);
    if (file === undefined || languageOf(toPosix(file)) === undefined) return [];
    const document = this.documents.get(uri);
    if (document === undefined) return outline(file, await readText(file));
    const version = String(document.version);
    const known = this.outlines.get(uri);
    if (known?.version === version) return known.definitions;
    const definitions = outline(file, document.getText());
    this.outlines.set(uri, { version, definitions });
    return definitions;
  }
}

function toPosix(file: string): string {
  return file.split(path.sep).join('/');
}

async function readText(file: string): Promise<string> {
  const status = await stat(file).catch(() => undefined);
  if (status?.isFile() !== true || status.size > maxBytes) return '';
  return readFile(file, 'utf8').catch(() => '');
}

function outline(file: string, text: string): Promise<readonly Definition[]> {
  const name = toPosix(file);
  const facts = { path: name, bytes: 0, modified: 0, hash: '', lines: 0, language: languageOf(name) };
  return outlineSource(facts, text.replace(/^\uFEFF/, ''));
}
