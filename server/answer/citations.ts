import type { Citation, RecalledBlock } from '../contract/answers.js';
import type { CitationSource } from '../contract/words.js';
import type { Definition } from '../repository/source.js';
import type { AttendedPassage } from './attention-ranking.js';
import type { CurrentFiles } from './current-files.js';
import type { NameIndex } from './name-index.js';
import { definitionsNamed } from './name-lookup.js';
import { namesInText, type NameCandidate } from './names-in-text.js';
import type { RecalledPlace } from './recall-choice.js';

export interface CheckedCitations {
  /** Best first. */
  readonly citations: readonly Citation[];
  /** Places that the answer's own words name and that are not in the repository, as it writes them. */
  readonly unfounded: readonly string[];
  /** Links from elsewhere that failed the check. */
  readonly dropped: number;
}

const maxCitations = 8;

/** Links to the definitions of the names in the question; the rest is left for the answer's own. */
const maxNamed = 5;

/** Names of an answer that are looked at; a runaway answer has more. */
const maxAnswerNames = 40;

/** Definitions of one name that an answer gives. */
const maxDefinitions = 2;

/** Links by attention are guesses: they only make a short list longer. */
const shortList = 4;

/** Passages that the answer attended to; fewer standard deviations are chance. */
const memoryLinks = { most: 3, leastScore: 3 };

interface Link {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly name?: string | undefined;
  readonly from: CitationSource;
  /** A link to the file as such; it says nothing new beside a link into the file. */
  readonly whole?: boolean;
}

/** True when the file is there, has these lines, and the name stands in them. */
async function holds(link: Link, files: CurrentFiles): Promise<boolean> {
  const file = await files.read(link.path);
  if (file === undefined || link.line < 1 || link.endLine < link.line || link.endLine > file.lines.length) return false;
  const { name } = link;
  return name === undefined || file.lines.slice(link.line - 1, link.endLine).some((line) => line.includes(name));
}

class Collector {
  readonly citations: Citation[] = [];
  readonly unfounded: string[] = [];
  dropped = 0;

  constructor(private readonly files: CurrentFiles) {}

  get isShort(): boolean {
    return this.citations.length < shortList;
  }

  async add(link: Link): Promise<void> {
    if (this.citations.length >= maxCitations || this.known(link)) return;
    if (!(await holds(link, this.files))) {
      if (link.from === 'answer') this.unfounded.push(`${link.path}:${link.line}`);
      else this.dropped += 1;
      return;
    }
    const { path, line, endLine, name, from } = link;
    this.citations.push({ path, line, endLine, name, from });
  }

  /** Lines that the user selected: they stand in the editor, whatever the file on disk has there. */
  addSelected({ path, line, endLine, name }: RecalledPlace): void {
    this.citations.push({ path, line, endLine, name, from: 'recall' });
  }

  /** The definition as it is now; a link to one that is gone is a link that fails. */
  async addDefinition(definition: Definition, from: CitationSource): Promise<void> {
    const now = await this.files.locate(definition);
    if (now === undefined) this.dropped += 1;
    else await this.add({ path: now.path, line: now.line, endLine: now.endLine, name: now.name, from });
  }

  private known(link: Link): boolean {
    return this.citations.some((citation) => {
      if (citation.path !== link.path) return false;
      if (link.whole === true) return true;
      const overlap = citation.line <= link.endLine && link.line <= citation.endLine;
      return overlap && (link.name === undefined || link.name === citation.name);
    });
  }
}

/** True for what can only be meant as a path, so that it is a broken link where nothing is called so. */
function isPathLike(candidate: NameCandidate): boolean {
  return candidate.line !== undefined || /\/.*\.[A-Za-z0-9]+$/.test(candidate.text);
}

/** The links in the answer's own words: paths, `path:line`, names of definitions. */
async function addAnswerLinks(collector: Collector, index: NameIndex, answer: string): Promise<void> {
  const candidates = namesInText(answer)
    .filter((candidate) => candidate.form !== 'word')
    .slice(0, maxAnswerNames);
  const paths = new Set<string>();
  for (const candidate of candidates) for (const path of index.paths(candidate.text)) paths.add(path);
  const wholeFiles: string[] = [];
  for (const candidate of candidates) {
    const { text, line } = candidate;
    const [path, ...others] = index.paths(text);
    if (path !== undefined) {
      if (line !== undefined && others.length === 0) await collector.add({ path, line, endLine: line, from: 'answer' });
      else if (others.length === 0) wholeFiles.push(path);
      continue;
    }
    const defined = definitionsNamed(index, text);
    if (defined.length === 0) {
      if (isPathLike(candidate)) collector.unfounded.push(line === undefined ? text : `${text}:${line}`);
      continue;
    }
    const inPaths = defined.filter((definition) => paths.has(definition.path));
    const meant = (inPaths.length > 0 ? inPaths : defined).slice(0, maxDefinitions);
    for (const definition of meant) await collector.addDefinition(definition, 'answer');
  }
  for (const path of wholeFiles) await collector.add({ path, line: 1, endLine: 1, from: 'answer', whole: true });
}

/**
 * The links of an answer, best first, each checked against the file as it is now: what the user selected; the definition
 * around it and what the question names exactly, so
 * that the first link is right even where the model's words are not; what the answer names; what the question names
 * roughly; what was re-read because of attention; what the answer attended to in the retained cache. What fails the
 * check is dropped and counted.
 *
 * @param selected lines that the question is about
 * @param named places that the question names, as they are now
 * @param attended passages by the attention of the answer's tokens to the retained cache
 */
export async function collectCitations(input: {
  readonly files: CurrentFiles;
  readonly index: NameIndex;
  readonly selected: RecalledPlace | undefined;
  readonly named: readonly RecalledPlace[];
  readonly blocks: readonly RecalledBlock[];
  readonly answer: string;
  readonly attended: readonly AttendedPassage[];
}): Promise<CheckedCitations> {
  const { files, index, selected, named, blocks, answer, attended } = input;
  const collector = new Collector(files);
  if (selected !== undefined) collector.addSelected(selected);
  const exact = named.filter(({ reason }) => reason === 'selection' || reason === 'name' || reason === 'path');
  for (const place of exact.slice(0, maxNamed)) await collector.add({ ...place, from: 'recall' });
  await addAnswerLinks(collector, index, answer);
  for (const place of named.filter((other) => !exact.includes(other)).slice(0, maxNamed)) {
    await collector.add({ ...place, from: 'recall' });
  }
  for (const block of blocks.toReversed()) {
    if (block.reason === 'attention' && collector.isShort) await collector.add({ ...block, from: 'recall' });
  }
  const strong = attended.filter((passage) => passage.score >= memoryLinks.leastScore).slice(0, memoryLinks.most);
  for (const { path, line, endLine, definition } of strong) {
    if (!collector.isShort) break;
    if (definition !== undefined) {
      await collector.addDefinition(definition, 'memory');
      continue;
    }
    const file = await files.read(path);
    if (file !== undefined)
      await collector.add({ path, line, endLine: Math.min(endLine, file.lines.length), from: 'memory' });
  }
  return { citations: collector.citations, unfounded: collector.unfounded, dropped: collector.dropped };
}
