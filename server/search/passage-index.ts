import { SegmentBuilder, type IndexedDefinition, type IndexedFile, type Segment } from './segment.js';
import { Vocabulary } from './vocabulary.js';
import { foldName } from './words.js';

/** A segment among others: its passages, files and definitions are numbered from here on. */
interface Part {
  readonly segment: Segment;
  readonly firstPassage: number;
  readonly firstFile: number;
  readonly firstDefinition: number;
}

/** A file of the index, and the numbers of its passages. */
export interface FilePassages {
  readonly file: IndexedFile;
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/** A text to be indexed. */
export interface IndexedText {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * The index of a repository: a large segment of what was there at first, and small ones of what changed since. What was
 * replaced or removed stays in its segment and is passed over.
 */
export class PassageIndex {
  readonly vocabulary = new Vocabulary();
  private readonly parts: Part[] = [];
  private readonly fileOfPath = new Map<string, number>();
  private readonly deadFiles = new Set<number>();
  private folded: ReadonlySet<string> | undefined;
  private passageCount = 0;
  private fileCount = 0;
  private definitionCount = 0;
  /** Words in passages that are not dead, and these passages. */
  private liveWords = 0;
  private livePassages = 0;

  /** Passages, those that are passed over included. */
  get passages(): number {
    return this.passageCount;
  }

  /** Files, those that are passed over included. */
  get files(): number {
    return this.fileCount;
  }

  /** Mean number of words in a passage. */
  get averageLength(): number {
    return this.liveWords / Math.max(1, this.livePassages);
  }

  /** Mean number of words in a file. */
  get averageFileLength(): number {
    return this.liveWords / Math.max(1, this.fileOfPath.size);
  }

  /** The paths of all files that are found. */
  paths(): IterableIterator<string> {
    return this.fileOfPath.keys();
  }

  /** A builder for what is to be added. */
  builder(): SegmentBuilder {
    return new SegmentBuilder(this.vocabulary);
  }

  /** Adds files; where one was there before, it is replaced. */
  add(segment: Segment): void {
    const part = {
      segment,
      firstPassage: this.passageCount,
      firstFile: this.fileCount,
      firstDefinition: this.definitionCount,
    };
    segment.files.forEach(({ path, length, firstPassage, endPassage }, at) => {
      this.remove(path);
      this.fileOfPath.set(path, part.firstFile + at);
      this.liveWords += length;
      this.livePassages += endPassage - firstPassage;
    });
    this.parts.push(part);
    this.folded = undefined;
    this.passageCount += segment.passages;
    this.fileCount += segment.files.length;
    this.definitionCount += segment.definitions;
  }

  /** Passes a file over from now on. */
  remove(path: string): void {
    const number = this.fileOfPath.get(path);
    if (number === undefined) return;
    const { file } = this.filePassages(number);
    this.fileOfPath.delete(path);
    this.deadFiles.add(number);
    this.liveWords -= file.length;
    this.livePassages -= file.endPassage - file.firstPassage;
  }

  private partOf(number: number, first: 'firstPassage' | 'firstFile' | 'firstDefinition'): Part {
    const part = this.parts.findLast((each) => each[first] <= number);
    if (part === undefined) throw new RangeError(`The index has no entry ${number}.`);
    return part;
  }

  /** The number of a file that is found. */
  fileNumber(path: string): number | undefined {
    return this.fileOfPath.get(path);
  }

  filePassages(number: number): FilePassages {
    const { segment, firstFile, firstPassage } = this.partOf(number, 'firstFile');
    const file = segment.files[number - firstFile];
    if (file === undefined) throw new RangeError(`The index has no file ${number}.`);
    return { file, first: firstPassage + file.firstPassage, end: firstPassage + file.endPassage };
  }

  /** The number of the file that a passage stands in. */
  fileOf(passage: number): number {
    const { segment, firstFile, firstPassage } = this.partOf(passage, 'firstPassage');
    return firstFile + segment.fileOf(passage - firstPassage);
  }

  isDead(file: number): boolean {
    return this.deadFiles.has(file);
  }

  /** First line of a passage, 0-based. */
  rowOf(passage: number): number {
    const { segment, firstPassage } = this.partOf(passage, 'firstPassage');
    return segment.rowOf(passage - firstPassage);
  }

  /** One past its last line. */
  endRowOf(passage: number): number {
    const { segment, firstPassage } = this.partOf(passage, 'firstPassage');
    return segment.endRowOf(passage - firstPassage);
  }

  lengthOf(passage: number): number {
    const { segment, firstPassage } = this.partOf(passage, 'firstPassage');
    return segment.lengthOf(passage - firstPassage);
  }

  /** The word that names what a passage is the text of. */
  mainOf(passage: number): number | undefined {
    const { segment, firstPassage } = this.partOf(passage, 'firstPassage');
    return segment.mainOf(passage - firstPassage);
  }

  /** Calls back for each passage that holds a word, with how often, at most 63 times. */
  forPassagesWith(word: number, use: (passage: number, count: number) => void): void {
    for (const { segment, firstPassage, firstFile } of this.parts) {
      if (this.deadFiles.size === 0) {
        segment.forPassagesWith(word, (passage, count) => {
          use(firstPassage + passage, count);
        });
        continue;
      }
      segment.forPassagesWith(word, (passage, count) => {
        if (!this.deadFiles.has(firstFile + segment.fileOf(passage))) use(firstPassage + passage, count);
      });
    }
  }

  /** Passages that are the text of something that is called so. */
  passagesNamed(word: number): number[] {
    return this.collect((segment) => segment.passagesNamed(word));
  }

  /** Passages of what stands in something that is called so. */
  passagesInside(word: number): number[] {
    return this.collect((segment) => segment.passagesInside(word));
  }

  private collect(passagesOf: (segment: Segment) => Uint32Array): number[] {
    return this.parts.flatMap(({ segment, firstPassage, firstFile }) =>
      Array.from(passagesOf(segment))
        .filter((passage) => !this.deadFiles.has(firstFile + segment.fileOf(passage)))
        .map((passage) => firstPassage + passage),
    );
  }

  /** The numbers of files in whose paths a word stands. */
  filesWithPathWord(word: number): number[] {
    return this.parts
      .flatMap(({ segment, firstFile }) => Array.from(segment.filesWithPathWord(word), (file) => firstFile + file))
      .filter((file) => !this.deadFiles.has(file));
  }

  /** What is defined by a name that is written exactly so. */
  definitionsOf(word: number): IndexedDefinition[] {
    return this.parts.flatMap(({ segment, firstPassage, firstFile }) =>
      Array.from(segment.definitionsOf(word), (at) => segment.definition(at))
        .filter(({ passage }) => !this.deadFiles.has(firstFile + segment.fileOf(passage)))
        .map((definition) => ({ ...definition, passage: firstPassage + definition.passage })),
    );
  }

  /** The names of all definitions, folded, each once. */
  foldedNames(): ReadonlySet<string> {
    if (this.folded === undefined) {
      const folded = new Set<string>();
      for (const { segment } of this.parts) {
        segment.forDefinedWords((word) => folded.add(foldName(this.vocabulary.text(word))));
      }
      this.folded = folded;
    }
    return this.folded;
  }
}
