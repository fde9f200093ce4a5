import type { RecalledBlock } from '../contract/answers.js';
import type { RecallReason } from '../contract/words.js';
import type { ModelTokenizer } from '../model/tokenizer.js';
import { definitionAround } from '../repository/definition-around.js';
import type { Definition } from '../repository/source.js';
import type { AttendedPassage, AttentionRanking } from './attention-ranking.js';
import type { CurrentFile, CurrentFiles, FileProblem } from './current-files.js';
import type { NamedPlace, NameLookup } from './name-lookup.js';
import { type BlockText, fitLines, fitRecallBlock } from './recall-block.js';
import { linesOf, selectedDefinition, type SelectedLines } from './selection.js';

/** A place that the question names or is about, as it is now. */
export interface RecalledPlace {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly name?: string | undefined;
  readonly reason: RecallReason;
}

export interface RecallSelection {
  /** Text of all blocks, to be put behind the memory. */
  readonly text: string;
  /** In the order of the text: the best is the last. */
  readonly blocks: readonly RecalledBlock[];
  /** The lines that the question is about, where their file is one of the repository. */
  readonly selected: RecalledPlace | undefined;
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
  readonly name?: string | undefined;
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

class RecallChoice {
  selected: RecalledPlace | undefined;
  readonly named: RecalledPlace[] = [];
  readonly notices: string[] = [];
  readonly chosen: { readonly block: RecalledBlock; readonly text: string }[] = [];
  private used = 0;

  constructor(
    private readonly files: CurrentFiles,
    private readonly tokenizer: ModelTokenizer,
    private readonly limit: number,
  ) {}

  /**
   * The lines that the question is about, and the definition around them, which counts as named.
   * @param most tokens that the lines may take
   */
  async selection(selection: SelectedLines, most: number): Promise<void> {
    const { path, line, endLine } = selection;
    const file = await this.files.read(path);
    const around = file === undefined ? undefined : selectedDefinition(file, selection);
    const name = around?.isWhole === true ? { name: around.definition.name } : {};
    if (file !== undefined) this.selected = { path, line, endLine, reason: 'selection', ...name };
    if (selection.text.trim() !== '') this.showSelection(selection, most, name.name);
    if (around === undefined) return;
    const { definition, isWhole } = around;
    const range = { path, line: definition.line, endLine: definition.endLine, name: definition.name };
    this.named.push({ ...range, reason: 'selection' });
    if (this.limit > 0 && !isWhole) await this.take(path, rangeOf(definition), 'selection', { share: 1, whole: true });
  }

  private showSelection(selection: SelectedLines, most: number, name: string | undefined): void {
    const { path, line } = selection;
    const label = `The selection (${path}:${line})`;
    const fitted = fitLines(this.tokenizer, path, line, linesOf(selection), most);
    if (fitted === undefined) this.notice(`${label} did not fit into ${most} tokens.`);
    else this.add(path, fitted, 'selection', name, label);
  }

  /** @param share the most that this place may take of what is left */
  async place(place: NamedPlace, share: number): Promise<void> {
    const range = await this.currentRange(place);
    if (range === undefined) return;
    const { path, reason } = place;
    const { line, endLine, name } = range;
    this.named.push({ path, line, endLine, reason, name });
    const isWanted = this.limit > 0 && this.chosen.length < maxBlocks && !this.isShown(path, range);
    if (isWanted) await this.take(path, range, reason, { share });
  }

  async attention(ranking: AttentionRanking): Promise<void> {
    const most = Math.min(maxBlocks, this.chosen.length + attended.most);
    for (const passage of ranking.passages) {
      if (this.chosen.length >= most || passage.score < leastAttention) return;
      const range = await this.passageRange(passage);
      if (range === undefined || this.isShown(passage.path, range)) continue;
      await this.take(passage.path, range, 'attention', { share: attended.share });
    }
  }

  private async passageRange({ path, line, endLine, definition }: AttendedPassage): Promise<Range | undefined> {
    const file = await this.files.read(path);
    if (file === undefined || line > file.lines.length) return undefined;
    if (definition === undefined) return { line, endLine, nameLine: line };
    const now = await this.files.locate(definition);
    return now === undefined ? undefined : rangeOf(now);
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

  private isShown(path: string, { nameLine }: Range): boolean {
    return this.chosen.some(({ block }) => block.path === path && block.line <= nameLine && nameLine <= block.endLine);
  }

  /**
   * Re-reads lines of a file.
   * @param how.share the most that they may take of what is left
   * @param how.whole whether they are of no use when they must be cut
   */
  private async take(
    path: string,
    range: Range,
    reason: RecallReason,
    how: { readonly share: number; readonly whole?: boolean },
  ): Promise<void> {
    const file = await this.files.read(path);
    if (file === undefined) return;
    const left = this.limit - this.used;
    const fitted = fitRecallBlock(this.tokenizer, path, file.lines, range, Math.floor(left * how.share));
    const { name } = range;
    const label = name === undefined ? `${path}:${range.line}` : `\`${name}\` (${path}:${range.line})`;
    if (fitted === undefined || (how.whole === true && (fitted.cut > 0 || fitted.line > range.line))) {
      if (reason !== 'attention') this.notice(`${label} did not fit into the ${this.limit} tokens for recall.`);
      return;
    }
    this.add(path, fitted, reason, name, label);
  }

  private add(
    path: string,
    { text, ...block }: BlockText,
    reason: RecallReason,
    name: string | undefined,
    label: string,
  ): void {
    if (block.cut > 0) {
      const why = this.limit > 0 ? 'recall is limited' : 'there is no more room';
      this.notice(`${label} was shown up to line ${block.endLine} of ${block.endLine + block.cut}: ${why}.`);
    }
    this.used += block.tokens;
    this.chosen.push({ block: { path, ...block, name, reason }, text });
  }

  private notice(text: string): void {
    if (!this.notices.includes(text)) this.notices.push(text);
  }
}

/**
 * Chooses what stands verbatim before a question, within `limit` tokens: first the lines that it is about and the
 * definition around them, then what its names stand for, then the passages that its attention falls on. With a limit of 0
 * nothing is re-read, but places are found, and the selected lines, which are a part of the question, are shown as far as
 * there is room. Text and lines are those of the files as they are now; of a selection, those of the editor.
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
  /** All that there is room for. */
  readonly room: number;
  readonly selection: SelectedLines | undefined;
}): Promise<RecallSelection> {
  const { files, tokenizer, lookup, attention, limit, room } = input;
  const choice = new RecallChoice(files, tokenizer, limit);
  if (input.selection !== undefined) await choice.selection(input.selection, limit > 0 ? limit : room);
  for (const [i, place] of lookup.places.entries()) {
    const next = lookup.places[i + 1];
    await choice.place(place, next === undefined ? 1 : next.reason === place.reason ? 0.5 : 0.8);
  }
  if (limit > 0 && attention !== undefined) await choice.attention(attention);
  const chosen = choice.chosen.toReversed();
  const unknown = lookup.unknown.map((name) => `Nothing that was read is called \`${name}\`.`);
  return {
    text: chosen.map(({ text }) => text).join(''),
    blocks: chosen.map(({ block }) => block),
    selected: choice.selected,
    named: choice.named,
    notices: [...unknown, ...choice.notices],
  };
}
