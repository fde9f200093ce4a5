import type { SkippedFile } from '../../contract/contents.js';
import { DefinitionTable } from '../contents/definition-table.js';
import type { FileMap } from '../contents/source-map.js';
import type { FinishedFile } from './file-in-progress.js';
import type { OpenPart, ReadPart } from './partial-reading.js';

/** What was tokenized, file by file; tells what of it was read when the engine has come to some token. */
export class ReadTable {
  private readonly files: FileMap[] = [];
  private readonly definitions = new DefinitionTable();
  private readonly skipped: SkippedFile[] = [];
  /** The file whose tokens come now. */
  private current: OpenPart | undefined;
  private forgotten = 0;

  /** @param hasBeginning whether something stands before the files */
  constructor(private readonly hasBeginning: boolean) {}

  open(part: OpenPart): void {
    this.current = part;
  }

  /** All tokens of the file that was open have come. */
  add({ map, definitions }: FinishedFile): void {
    this.files.push(map);
    this.definitions.add(definitions);
    this.current = undefined;
  }

  skip(file: SkippedFile): void {
    this.skipped.push(file);
  }

  /** Tokens of an earlier session were forgotten. */
  forget(tokens: number): void {
    this.forgotten += tokens;
  }

  /** What was read up to a token. Tokenizing runs ahead of the engine: later files do not count. */
  partUntil(end: number): ReadPart {
    const files = this.files.filter((file) => file.end <= end);
    const paths = new Set(files.map(({ file }) => file.path));
    const definitions = [...this.definitions].filter(({ path }) => paths.has(path));
    return {
      files,
      definitions: files.length === this.files.length ? this.definitions : DefinitionTable.of(definitions),
      skipped: [...this.skipped],
      open: this.openAt(end),
      forgotten: this.forgotten,
      nextTokenIndex: end,
    };
  }

  /** What the token before `end` is a part of, unless that ends there. */
  private openAt(end: number): OpenPart | undefined {
    const [first = this.current] = this.files;
    if (this.hasBeginning && end < (first?.begin ?? Infinity)) return { file: undefined, begin: 0 };
    const open = this.files.find((file) => file.begin < end && end < file.end) ?? this.current;
    return open !== undefined && open.begin < end ? { file: open.file, begin: open.begin } : undefined;
  }
}
