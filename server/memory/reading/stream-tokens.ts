import type { SkippedFile } from '../../contract/contents.js';
import type { ModelTokenizer } from '../../model/tokenizer.js';
import type { RepositoryFile, Survey, SurveyOptions } from '../../repository/source.js';
import { type Segment, streamRepository } from '../../repository/stream.js';
import { plainForm, repositoryTokenForm } from '../../repository/text-form.js';

/** What happens while a repository is streamed, in order. */
export type StreamEvent =
  /** Tokens of this file follow; it is told as it was when it was opened. */
  | { readonly kind: 'opened'; readonly file: RepositoryFile }
  /** Tokens of the file that is open, or of the repository's header. `starts`: UTF-16 offsets in the segment's text. */
  | { readonly kind: 'tokens'; readonly segment: Segment; readonly ids: Int32Array; readonly starts: Int32Array }
  /** All tokens of the file that was open have come; it is told as it was read. */
  | { readonly kind: 'read'; readonly file: RepositoryFile }
  /** A file turned out not to be readable: nothing of it comes. */
  | { readonly kind: 'skipped'; readonly file: SkippedFile };

/** What is streamed. */
export interface TokenStreamOptions {
  /** The files, in order. */
  readonly survey: Survey;
  readonly options: SurveyOptions;
  /** Whether the repository's own header stands before the files. */
  readonly hasHeader: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Streams files as tokens: text is tokenized piece by piece, as it is read from disk.
 * @throws LocretError cancelled
 */
export async function* streamTokens(
  tokenizer: ModelTokenizer,
  { survey, options, hasHeader, signal }: TokenStreamOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  const events: StreamEvent[] = [];
  const segments = streamRepository(survey, {
    form: tokenizer.hasRepositoryTokens ? repositoryTokenForm : plainForm,
    neutralize: (text) => tokenizer.neutralize(text),
    maxFileBytes: options.maxFileBytes,
    signal,
    onFileBegin: (file) => {
      events.push({ kind: 'opened', file });
    },
    onFileEnd: (file) => {
      events.push({ kind: 'read', file });
    },
    onSkip: (file) => {
      events.push({ kind: 'skipped', file });
    },
  });
  for await (const segment of segments) {
    yield* events.splice(0);
    if (segment.file === undefined && !hasHeader) continue;
    yield { kind: 'tokens', segment, ...tokenizer.encodeWithStarts(segment.text) };
  }
  yield* events.splice(0);
}
