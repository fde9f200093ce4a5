import { scanLines, type LineDefinition } from './line-definitions.js';
import { lineLanguageOf } from './line-languages.js';
import type { LineKind } from './line-languages/pattern.js';
import { Grouping, none, NumberList } from './numbers.js';
import { cutPassages } from './passages.js';
import { pathKindOf, type PathKind } from './path-kind.js';
import type { Vocabulary } from './vocabulary.js';
import { scanWords } from './word-scanner.js';

export interface IndexedFile {
  readonly path: string;
  readonly kind: PathKind;
  readonly firstPassage: number;
  /** One past its last passage. */
  readonly endPassage: number;
  /** Words in it. */
  readonly length: number;
}

/** A definition as the index holds it. Rows are 0-based. */
export interface IndexedDefinition {
  /** The word that is its name. */
  readonly word: number;
  /** The word that names what it stands in. */
  readonly container: number | undefined;
  readonly kind: LineKind;
  readonly passage: number;
  readonly row: number;
  readonly local: boolean;
}

const kinds: readonly LineKind[] = [
  ...(['function', 'method', 'class', 'interface', 'type', 'enum', 'constant', 'variable', 'module', 'field'] as const),
  ...(['heading', 'key', 'section', 'target', 'stage', 'resource', 'selector', 'element', 'table', 'test'] as const),
  ...(['label', 'entry'] as const),
];
const kindIds = new Map(kinds.map((kind, id) => [kind, id]));
const localBit = 0x80;

/** Different words of passages that are held while building; some ten megabytes of text. */
const mostPostings = 1 << 20;
/** How often a word stands in a passage, at most; more says no more. */
const countBits = 6;
const maxCount = (1 << countBits) - 1;

/** A word of a passage or a passage of a word, and how often, in one number. */
const pack = (item: number, count: number): number => ((item << countBits) | Math.min(count, maxCount)) >>> 0;

interface Columns {
  readonly files: readonly IndexedFile[];
  readonly passageRow: Uint32Array;
  readonly passageEnd: Uint32Array;
  readonly passageFile: Uint32Array;
  readonly passageLength: Uint32Array;
  readonly passageMain: Uint32Array;
  readonly passageContainer: Uint32Array;
  readonly postings: Grouping;
  readonly definitionWord: Uint32Array;
  readonly definitionContainer: Uint32Array;
  readonly definitionPassage: Uint32Array;
  readonly definitionRow: Uint32Array;
  readonly definitionKind: Uint32Array;
  readonly filesByPathWord: Grouping;
}

/** Builds an index of texts, file by file. What it holds of a text is which words stand in which passage. */
export class SegmentBuilder {
  private readonly files: IndexedFile[] = [];
  private readonly passageRow = new NumberList();
  private readonly passageEnd = new NumberList();
  private readonly passageFile = new NumberList();
  private readonly passageLength = new NumberList();
  private readonly passageMain = new NumberList();
  private readonly passageContainer = new NumberList();
  private readonly postedWord = new NumberList();
  private readonly postedPassage = new NumberList();
  private readonly definitionWord = new NumberList();
  private readonly definitionContainer = new NumberList();
  private readonly definitionPassage = new NumberList();
  private readonly definitionRow = new NumberList();
  private readonly definitionKind = new NumberList();
  private readonly pathWord = new NumberList();
  private readonly pathFile = new NumberList();
  private readonly counts = new Map<number, number>();

  constructor(private readonly vocabulary: Vocabulary) {}

  /** Whether so much was added that it is better finished: what is held while building grows with it. */
  get isFull(): boolean {
    return this.postedWord.length >= mostPostings;
  }

  /** @param bytes a text in UTF-8 */
  addFile(filePath: string, bytes: Buffer): void {
    const text = bytes.toString('latin1');
    const scan = scanLines(filePath, bytes, text);
    const { begins, definitions } = scan;
    const lineAt = (row: number): string => text.slice(begins[row] ?? 0, begins[row + 1] ?? 0);
    const firstPassage = this.passageRow.length;
    let length = 0;
    let nextDefinition = 0;
    for (const { row, endRow, main } of cutPassages(lineLanguageOf(filePath), scan, lineAt)) {
      const passage = this.passageRow.length;
      for (let next = definitions[nextDefinition]; next !== undefined && next.row < endRow;) {
        this.addDefinition(next, passage);
        nextDefinition += 1;
        next = definitions[nextDefinition];
      }
      this.passageFile.push(this.files.length);
      this.passageRow.push(row);
      this.passageEnd.push(endRow);
      this.passageMain.push(this.wordOf(main?.name));
      this.passageContainer.push(this.wordOf(main?.container));
      length += this.addWords(bytes, begins[row] ?? 0, begins[endRow] ?? bytes.length, passage);
    }
    this.addPath(filePath);
    const endPassage = this.passageRow.length;
    this.files.push({ path: filePath, kind: pathKindOf(filePath), firstPassage, endPassage, length });
  }

  private wordOf(name: string | undefined): number {
    if (name === undefined) return none;
    const bytes = Buffer.from(name);
    return this.vocabulary.add(bytes, 0, bytes.length);
  }

  private addDefinition({ name, container, kind, row, local }: LineDefinition, passage: number): void {
    this.definitionWord.push(this.wordOf(name));
    this.definitionContainer.push(this.wordOf(container));
    this.definitionPassage.push(passage);
    this.definitionRow.push(row);
    this.definitionKind.push((kindIds.get(kind) ?? 0) | (local ? localBit : 0));
  }

  private addWords(bytes: Buffer, from: number, to: number, passage: number): number {
    const { counts, vocabulary } = this;
    let length = 0;
    scanWords(bytes, from, to, (begin, end) => {
      const word = vocabulary.add(bytes, begin, end);
      counts.set(word, (counts.get(word) ?? 0) + 1);
      length += 1;
    });
    for (const [word, count] of counts) {
      this.postedWord.push(word);
      this.postedPassage.push(pack(passage, count));
    }
    counts.clear();
    this.passageLength.push(length);
    return length;
  }

  private addPath(filePath: string): void {
    const bytes = Buffer.from(filePath);
    const words = new Set<number>();
    scanWords(bytes, 0, bytes.length, (begin, end) => words.add(this.vocabulary.add(bytes, begin, end)));
    for (const word of words) {
      this.pathWord.push(word);
      this.pathFile.push(this.files.length);
    }
  }

  /** The index of all that was added; the builder is of no use afterwards. */
  finish(): Segment {
    const postedPassage = this.postedPassage.take();
    const pathFile = this.pathFile.take();
    return new Segment({
      files: this.files,
      passageRow: this.passageRow.take(),
      passageEnd: this.passageEnd.take(),
      passageFile: this.passageFile.take(),
      passageLength: this.passageLength.take(),
      passageMain: this.passageMain.take(),
      passageContainer: this.passageContainer.take(),
      postings: Grouping.by(this.postedWord.take(), (at) => postedPassage[at] ?? 0),
      definitionWord: this.definitionWord.take(),
      definitionContainer: this.definitionContainer.take(),
      definitionPassage: this.definitionPassage.take(),
      definitionRow: this.definitionRow.take(),
      definitionKind: this.definitionKind.take(),
      filesByPathWord: Grouping.by(this.pathWord.take(), (at) => pathFile[at] ?? 0),
    });
  }
}

/** An index of the passages of some files. It holds no text: places are read from the files as they are. */
export class Segment {
  readonly files: readonly IndexedFile[];
  /** Words in all passages. */
  readonly length: number;
  private readonly definitionsByWord: Grouping;
  private readonly passagesByMain: Grouping;
  private readonly passagesByContainer: Grouping;

  constructor(private readonly columns: Columns) {
    this.files = columns.files;
    this.length = columns.files.reduce((sum, file) => sum + file.length, 0);
    this.definitionsByWord = Grouping.by(columns.definitionWord);
    this.passagesByMain = Grouping.by(columns.passageMain);
    this.passagesByContainer = Grouping.by(columns.passageContainer);
  }

  get passages(): number {
    return this.columns.passageRow.length;
  }

  get definitions(): number {
    return this.columns.definitionWord.length;
  }

  fileOf(passage: number): number {
    return this.columns.passageFile[passage] ?? 0;
  }

  /** First line of a passage, 0-based. */
  rowOf(passage: number): number {
    return this.columns.passageRow[passage] ?? 0;
  }

  /** One past its last line. */
  endRowOf(passage: number): number {
    return this.columns.passageEnd[passage] ?? 0;
  }

  /** Words in a passage. */
  lengthOf(passage: number): number {
    return this.columns.passageLength[passage] ?? 0;
  }

  /** The word that names what a passage is the text of. */
  mainOf(passage: number): number | undefined {
    const word = this.columns.passageMain[passage] ?? none;
    return word === none ? undefined : word;
  }

  /** Calls back for each passage that holds a word, with how often, at most 63 times. */
  forPassagesWith(word: number, use: (passage: number, count: number) => void): void {
    for (const packed of this.columns.postings.of(word)) use(packed >>> countBits, packed & maxCount);
  }

  passagesNamed(word: number): Uint32Array {
    return this.passagesByMain.of(word);
  }

  passagesInside(word: number): Uint32Array {
    return this.passagesByContainer.of(word);
  }

  filesWithPathWord(word: number): Uint32Array {
    return this.columns.filesByPathWord.of(word);
  }

  /** What is defined by a name that is written exactly so; numbers for {@link definition}. */
  definitionsOf(word: number): Uint32Array {
    return this.definitionsByWord.of(word);
  }

  definition(at: number): IndexedDefinition {
    const { definitionWord, definitionContainer, definitionPassage, definitionRow, definitionKind } = this.columns;
    const container = definitionContainer[at] ?? none;
    const kind = definitionKind[at] ?? 0;
    return {
      word: definitionWord[at] ?? 0,
      container: container === none ? undefined : container,
      kind: kinds[kind & ~localBit] ?? 'variable',
      passage: definitionPassage[at] ?? 0,
      row: definitionRow[at] ?? 0,
      local: (kind & localBit) !== 0,
    };
  }

  /** Every word that names a definition, with the number of its definitions. */
  forDefinedWords(use: (word: number) => void): void {
    let before = none;
    for (const word of this.columns.definitionWord) if (word !== before) use((before = word));
  }
}
