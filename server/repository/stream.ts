import { createHash, type Hash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { SkippedFile } from '../contract/contents.js';
import { systemErrorCode, throwIfCancelled } from '../errors.js';
import type { Verdict } from './classify.js';
import { LineCount, TextDecoding } from './decode-text.js';
import { pieceBytes } from './inspect.js';
import { openRegularFile } from './open-regular-file.js';
import type { RepositoryFile, Survey } from './source.js';
import { verdictOfSystemError } from './system-errors.js';
import type { TextForm } from './text-form.js';
import { TextCutter } from './text-cutter.js';

/**
 * A piece of the written repository, to be tokenized by itself: at most 64 Ki UTF-16 units, more only by what
 * neutralizing adds.
 */
export interface Segment {
  /** As surveyed; undefined for the repository's header. */
  readonly file: RepositoryFile | undefined;
  /** A header may hold the form's special tokens; text is neutralized. */
  readonly kind: 'header' | 'text';
  readonly text: string;
  /** Line of the file on which the text begins, 1-based; 1 for headers. */
  readonly line: number;
  /** UTF-16 column in that line, before neutralizing, at which the text begins, 1-based. */
  readonly column: number;
}

export interface StreamOptions {
  readonly form: TextForm;
  /**
   * Rewrites text so that no special token of the model is read from it. It keeps the line structure: it neither adds nor
   * removes line ends. Applied to text, paths and the repository's name.
   */
  readonly neutralize: (text: string) => string;
  /** A file that has grown beyond it since the survey is skipped. */
  readonly maxFileBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called before a file's header, with the file as surveyed, but of the size and time that it had when it was opened. */
  onFileBegin?(file: RepositoryFile): void;
  /**
   * Called after a file's last segment with the file as it was really read: where it changed since the survey, its hash,
   * size, time and lines differ from the surveyed ones.
   */
  onFileEnd?(file: RepositoryFile): void;
  /** Called for a surveyed file of which nothing is emitted: it vanished, or is no text any more. */
  onSkip?(skipped: SkippedFile): void;
}

/** Names with line ends or other control characters would break the line they stand in. */
function oneLine(name: string): string {
  return name.replaceAll(/[\p{Cc}\u2028\u2029]/gu, '\uFFFD');
}

/** A file that is open to be streamed; its first piece is a text. */
interface OpenFile {
  readonly handle: FileHandle;
  readonly status: Stats;
  readonly firstBytes: number;
  readonly firstText: string;
  readonly decoding: TextDecoding;
}

/** Opens a file and reads its first piece into the buffer, or tells why it is to be skipped. */
async function openText(
  absolutePath: string,
  maxFileBytes: number,
  buffer: Buffer,
): Promise<OpenFile | { readonly skip: Verdict }> {
  const opened = await openRegularFile(absolutePath);
  if (opened === undefined) return { skip: { reason: 'vanished', detail: 'it is no regular file any more' } };
  const { handle, status } = opened;
  let keepOpen = false;
  try {
    if (status.size > maxFileBytes) {
      const detail = `it has grown to ${status.size} bytes, the limit is ${maxFileBytes}`;
      return { skip: { reason: 'too-large', detail } };
    }
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return { skip: { reason: 'empty', detail: 'it was emptied since the survey' } };
    const decoding = new TextDecoding();
    const firstText = decoding.next(buffer.subarray(0, bytesRead));
    if (typeof firstText !== 'string') return { skip: firstText };
    keepOpen = true;
    return { handle, status, firstBytes: bytesRead, firstText, decoding };
  } finally {
    if (!keepOpen) await handle.close();
  }
}

/** Hash, size and lines of what was read, whatever the survey says. */
class ReadFacts {
  private readonly hash: Hash = createHash('sha256');
  private readonly count = new LineCount();
  private bytes = 0;

  add(piece: Buffer): void {
    this.hash.update(piece);
    this.count.add(piece);
    this.bytes += piece.length;
  }

  fileAsRead(surveyed: RepositoryFile, status: Stats): RepositoryFile {
    const { bytes } = this;
    const hash = this.hash.digest('hex');
    // Most files are as surveyed: one object for both, not two.
    if (hash === surveyed.hash && status.mtimeMs === surveyed.modified) return surveyed;
    // The time at the opening: a change while reading then shows as one.
    return { ...surveyed, bytes, modified: status.mtimeMs, hash, lines: this.count.lines };
  }
}

/**
 * The text of an open file in pieces. It ends where the file stops being readable or a text, which only happens to a file
 * that is changed meanwhile; its hash then differs from the file's on disk.
 */
async function* piecesOf(
  open: OpenFile,
  facts: ReadFacts,
  buffer: Buffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  facts.add(buffer.subarray(0, open.firstBytes));
  yield open.firstText;
  // Not beyond the size at the opening: a log file that grows as fast as it is read would never end.
  let left = open.status.size - open.firstBytes;
  while (left > 0) {
    throwIfCancelled(signal, 'Reading the repository');
    let bytesRead: number;
    try {
      ({ bytesRead } = await open.handle.read(buffer, 0, Math.min(left, buffer.length), null));
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return;
    }
    const piece = buffer.subarray(0, bytesRead);
    const text = open.decoding.next(piece);
    if (bytesRead === 0 || typeof text !== 'string') return;
    left -= bytesRead;
    facts.add(piece);
    yield text;
  }
}

async function* streamFile(
  root: string,
  file: RepositoryFile,
  options: StreamOptions,
  buffer: Buffer,
): AsyncGenerator<Segment, void, undefined> {
  const { form, neutralize, signal } = options;
  let open: OpenFile | { readonly skip: Verdict };
  try {
    open = await openText(path.join(root, file.path), options.maxFileBytes ?? Infinity, buffer);
  } catch (error) {
    open = { skip: verdictOfSystemError(error, file.path) };
  }
  if ('skip' in open) {
    options.onSkip?.({ path: file.path, ...open.skip });
    return;
  }
  try {
    const { size, mtimeMs } = open.status;
    const isAsSurveyed = size === file.bytes && mtimeMs === file.modified;
    options.onFileBegin?.(isAsSurveyed ? file : { ...file, bytes: size, modified: mtimeMs });
    yield { file, kind: 'header', text: form.fileHeader(neutralize(oneLine(file.path))), line: 1, column: 1 };
    const facts = new ReadFacts();
    const cutter = new TextCutter();
    for await (const piece of piecesOf(open, facts, buffer, signal)) {
      for (const cut of cutter.add(piece)) yield { file, kind: 'text', ...cut, text: neutralize(cut.text) };
    }
    for (const cut of cutter.end()) yield { file, kind: 'text', ...cut, text: neutralize(cut.text) };
    options.onFileEnd?.(facts.fileAsRead(file, open.status));
  } finally {
    await open.handle.close();
  }
}

/**
 * Writes down a surveyed repository, file after file, as segments of text with their place. At most a few pieces of 64 KB
 * are held at a time. Files are read as they are now: one that changed since the survey is read in its new form and
 * reported as read; one that vanished, or of which the beginning is no text any more, is skipped. Text keeps its line
 * ends as they are; a byte-order mark is dropped, and a file that does not end in a line end gets one.
 *
 * @throws LocretError `cancelled`
 */
export async function* streamRepository(
  survey: Survey,
  options: StreamOptions,
): AsyncGenerator<Segment, void, undefined> {
  const name = options.neutralize(oneLine(survey.name));
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  yield { file: undefined, kind: 'header', text: options.form.repositoryHeader(name), line: 1, column: 1 };
  for (const file of survey.files) {
    throwIfCancelled(options.signal, 'Reading the repository');
    yield* streamFile(survey.root, file, options, buffer);
  }
}
