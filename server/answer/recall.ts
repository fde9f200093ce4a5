import type { ModelTokenizer } from '../model/tokenizer.js';
import { definitionAround } from '../repository/definition-around.js';
import type { Definition } from '../repository/source.js';
import type { RecalledBlock, RecallReason } from './answer.js';
import type { AttentionRanking } from './attention-ranking.js';
import type { CurrentFile, CurrentFiles, FileProblem } from './current-files.js';
import type { NamedPlace, NameLookup } from './name-lookup.js';
import { fitRecallBlock } from './recall-block.js';

/** A place that the question names, as it is now. */
export interface RecalledPlace {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly name?: string;
  readonly reason: RecallReason;
}

export interface RecallSelection {
  /** Text of all blocks, to be put behind the memory. */
  readonly text: string;
  /** In the order of the text: the best is the last. */
  readonly blocks: readonly RecalledBlock[];
  /** Everything that the question names, whether it was re-read or not; best first. */
  readonly named: readonly RecalledPlace[];
  readonly notices: readonly string[];
}

/** Blocks behind one question. More are noise to a small model, and names rarely stand for more. */
const maxBlocks = 6;

/** Blocks because of attention: guesses, each worth at most this share of what is left. */
const attended = { most: 3, share: 0.5 };

/** Attention below this many standard deviations is taken for chance. */
const leastAttention = 3;

/** Lines of a file that is named as a whole. */
const fileLines = 60;

/** Lines around a `path:line` outside of any definition. */
const surroundingLines = 10;

const problemText: Readonly<Record<FileProblem, string>> = {
  'not-read': 'is not part of what was read',
  vanished: 'has vanished since the repository was read',
  outside: 'leads out of the repository now',
  'not-a-file': 'is not a regular file any more',
  'too-large': 'has become too large to read again',
  unreadable: 'cannot be read any more',
};

interface Range {
  readonly line: number;
  readonly endLine: number;
  readonly nameLine: number;
  readonly name?: string;
}

function rangeOf(definition: Definition): Range {
  return { line: definition.line, endLine: definition.endLine, nameLine: definition.nameLine, name: definition.name };
}

/** The lines of a named file: its beginning, or what stands around the line asked for. */
function rangeInFile(file: CurrentFile, line: number | undefined): Range | undefined {
  const last = file.lines.length;
  if (line === undefined) return { line: 1, endLine: Math.min(last, fileLines), nameLine: 1 };
  if (line > last) return undefined;
  const around = definitionAround(file.definitions, line);
  if (around !== undefined) return { ...rangeOf(around), nameLine: line };
  const begin = Math.max(1, line - surroundingLines);
  return { line: begin, endLine: Math.min(last, line + surroundingLines), nameLine: line };
}

class Selection {
  readonly named: RecalledPlace[] = [];
  readonly notices: string[] = [];
  readonly chosen: { readonly block: RecalledBlock; readonly text: string }[] = [];
  private used = 0;

  constructor(
    private readonly files: CurrentFiles,
    private readonly tokenizer: ModelTokenizer,
    private readonly limit: number,
  ) {}

  /** @param share the most that this place may take of what is left */
  async place(place: NamedPlace, share: number): Promise<void> {
    const range = await this.currentRange(place);
    if (range === undefined) return;
    const { path, reason } = place;
    const { line, endLine, name } = range;
    this.named.push({ path, line, endLine, reason, ...(name === undefined ? {} : { name }) });
    if (this.limit > 0 && this.chosen.length < maxBlocks) await this.take(path, range, reason, share);
  }

  async attention(ranking: AttentionRanking): Promise<void> {
    const most = Math.min(maxBlocks, this.chosen.length + attended.most);
    for (const passage of ranking.passages) {
      if (this.chosen.length >= most || passage.score < leastAttention) return;
      const file = await this.files.read(passage.path);
      if (file === undefined) continue;
      if (passage.definition !== undefined) {
        const now = await this.files.locate(passage.definition);
        if (now !== undefined) await this.take(passage.path, rangeOf(now), 'attention', attended.share);
      } else if (passage.line <= file.lines.length) {
        const { line, endLine } = passage;
        await this.take(passage.path, { line, endLine, nameLine: line }, 'attention', attended.share);
      }
    }
  }

  private async currentRange(place: NamedPlace): Promise<Range | undefined> {
    const file = await this.files.read(place.path);
    if (file === undefined) {
      const problem = this.files.problems.get(place.path) ?? 'unreadable';
      this.notice(`${place.path} ${problemText[problem]}.`);
      return undefined;
    }
    if (place.definition === undefined) {
      const range = rangeInFile(file, place.line);
      if (range === undefined) this.notice(`${place.path} has ${file.lines.length} lines, no line ${place.line ?? 1}.`);
      return range;
    }
    const now = await this.files.locate(place.definition);
    if (now === undefined) this.notice(`\`${place.definition.name}\` is no longer defined in ${place.path}.`);
    return now === undefined ? undefined : rangeOf(now);
  }

  private async take(path: string, range: Range, reason: RecallReason, share: number): Promise<void> {
    const shown = this.chosen.some(
      ({ block }) => block.path === path && block.line <= range.nameLine && range.nameLine <= block.endLine,
    );
    if (shown) return;
    const file = await this.files.read(path);
    if (file === undefined) return;
    const left = this.limit - this.used;
    const fitted = fitRecallBlock(this.tokenizer, path, file.lines, range, Math.floor(left * share));
    const { name } = range;
    const label = name === undefined ? `${path}:${range.line}` : `\`${name}\` (${path}:${range.line})`;
    if (fitted === undefined) {
      if (reason !== 'attention') this.notice(`${label} did not fit into the ${this.limit} tokens for recall.`);
      return;
    }
    const { text, ...block } = fitted;
    if (block.cut > 0) {
      this.notice(`${label} was shown up to line ${block.endLine} of ${block.endLine + block.cut}: recall is limited.`);
    }
    this.used += block.tokens;
    this.chosen.push({ block: { path, ...block, ...(name === undefined ? {} : { name }), reason }, text });
  }

  private notice(text: string): void {
    if (!this.notices.includes(text)) this.notices.push(text);
  }
}

/**
 * Chooses what is re-read verbatim for a question, within `limit` tokens: first what its names stand for, then the
 * passages that its attention falls on; with a limit of 0 nothing is re-read, but places are found. Text and lines are those of the files as they are now.
 *
 * The best block stands last, next to the question: small models copy from what is near. While several definitions are
 * named, each may take half of what is left, so that a long one does not push out the others (0.8 where the others are
 * only similar).
 */
export async function selectRecall(input: {
  readonly files: CurrentFiles;
  readonly tokenizer: ModelTokenizer;
  readonly lookup: NameLookup;
  readonly attention: AttentionRanking | undefined;
  readonly limit: number;
}): Promise<RecallSelection> {
  const { files, tokenizer, lookup, attention, limit } = input;
  const selection = new Selection(files, tokenizer, limit);
  for (const [i, place] of lookup.places.entries()) {
    const next = lookup.places[i + 1];
    await selection.place(place, next === undefined ? 1 : next.reason === place.reason ? 0.5 : 0.8);
  }
  if (limit > 0 && attention !== undefined) await selection.attention(attention);
  const chosen = selection.chosen.toReversed();
  const unknown = lookup.unknown.map((name) => `Nothing that was read is called \`${name}\`.`);
  return {
    text: chosen.map(({ text }) => text).join(''),
    blocks: chosen.map(({ block }) => block),
    named: selection.named,
    notices: [...unknown, ...selection.notices],
  };
}
