import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { languageOf } from '../repository/languages.js';
import { outlineSource } from '../repository/outline.js';
import type { Definition } from '../repository/source.js';
import { filePathOf } from '../workspace/file-uri.js';

/** Longer documents have no outline here. Bytes. */
const maxBytes = 4 << 20;

/** A document as somebody has it open, saved or not. */
export interface OpenDocument {
  readonly version: number;
  getText(): string;
}

interface Outline {
  readonly version: number;
  readonly definitions: Promise<readonly Definition[]>;
}

/** The definitions of any document as it is now: open in an editor, or on disk. */
export class DocumentOutlines {
  /** One outline per open document, until it changes or is closed. */
  private readonly outlines = new Map<string, Outline>();

  /** @param find finds a document that is open */
  constructor(private readonly find: (uri: string) => OpenDocument | undefined = () => undefined) {}

  /** None for what cannot be read or has no grammar. */
  async definitions(uri: string): Promise<readonly Definition[]> {
    const file = filePathOf(uri);
    if (file === undefined || languageOf(toPosix(file)) === undefined) return [];
    const document = this.find(uri);
    if (document === undefined) return outline(file, await readText(file));
    const { version } = document;
    const known = this.outlines.get(uri);
    if (known?.version === version) return known.definitions;
    const definitions = outline(file, document.getText());
    this.outlines.set(uri, { version, definitions });
    return definitions;
  }

  /** A document is not open any more. */
  close(uri: string): void {
    this.outlines.delete(uri);
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
