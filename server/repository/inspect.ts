import { createHash } from 'node:crypto';
import path from 'node:path';
import { classifyHead, classifyLineLength, classifyName, type Verdict } from './classify.js';
import { LineCount, TextDecoding } from './decode-text.js';
import { importsOf } from './imports.js';
import { languageOf } from './languages.js';
import { openRegularFile } from './open-regular-file.js';
import type { RepositoryFile } from './source.js';
import { verdictOfSystemError } from './system-errors.js';

/** Bytes that are read at a time. */
export const pieceBytes = 65_536;

/** A text file, and what it imports as far as its first piece tells. */
export interface InspectedFile {
  readonly file: RepositoryFile;
  readonly imports: readonly string[];
}

/** Gets a text file's whole content when it has been read, and may keep it. */
export type OnText = (file: RepositoryFile, bytes: Buffer) => void;

function tooLarge(bytes: number, limit: number): Verdict {
  return { reason: 'too-large', detail: `${bytes} bytes, the limit is ${limit}` };
}

async function inspectContent(
  absolutePath: string,
  filePath: string,
  maxFileBytes: number,
  buffer: Buffer,
  onText: OnText | undefined,
): Promise<InspectedFile | Verdict> {
  const opened = await openRegularFile(absolutePath);
  if (opened === undefined) return { reason: 'vanished', detail: 'it is no regular file any more' };
  const { handle, status } = opened;
  try {
    if (status.size > maxFileBytes) return tooLarge(status.size, maxFileBytes);
    const language = languageOf(filePath);
    const hash = createHash('sha256');
    const decoding = new TextDecoding();
    const count = new LineCount();
    let bytes = 0;
    let characters = 0;
    let imports: readonly string[] = [];
    const pieces: Buffer[] = [];
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      const piece = buffer.subarray(0, bytesRead);
      const text = decoding.next(piece);
      if (typeof text !== 'string') return text;
      if (bytes === 0) {
        const verdict = classifyHead(text);
        if (verdict !== undefined) return verdict;
        imports = importsOf(language, text);
      }
      bytes += bytesRead;
      characters += text.length;
      if (bytes > maxFileBytes) return tooLarge(bytes, maxFileBytes);
      hash.update(piece);
      count.add(piece);
      if (onText !== undefined) pieces.push(Buffer.from(piece));
    }
    const ending = decoding.end();
    if (ending !== undefined) return ending;
    if (characters === 0) return { reason: 'empty', detail: 'it holds no text' };
    const verdict = classifyLineLength(filePath, bytes, count.lines);
    if (verdict !== undefined) return verdict;
    const file = {
      path: filePath,
      bytes,
      modified: status.mtimeMs,
      hash: hash.digest('hex'),
      lines: count.lines,
      language,
    };
    onText?.(file, pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces));
    return { file, imports };
  } finally {
    await handle.close();
  }
}

/**
 * Reads one file of a repository once, in pieces, and tells what it is: a text file, or why it is skipped.
 *
 * @param root absolute
 * @param filePath relative to the root, with forward slashes
 * @param maxFileBytes larger files are skipped before they are read
 * @param buffer holds a piece at a time; its content is lost
 * @param onText gets the content of a text file
 */
export async function inspectFile(
  root: string,
  filePath: string,
  maxFileBytes: number,
  buffer: Buffer,
  onText?: OnText,
): Promise<InspectedFile | Verdict> {
  const named = classifyName(filePath);
  if (named !== undefined) return named;
  try {
    return await inspectContent(path.join(root, filePath), filePath, maxFileBytes, buffer, onText);
  } catch (error) {
    return verdictOfSystemError(error, filePath);
  }
}
