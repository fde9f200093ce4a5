import type { StructureName } from '../../contract/words.js';
import { outlineSource } from '../../repository/outline.js';
import type { Definition, RepositoryFile } from '../../repository/source.js';
import type { Segment } from '../../repository/stream.js';
import { type FileMap, FileMapBuilder } from '../contents/source-map.js';
import { markDefinitions, type MarkedTokens } from './structure.js';

/** Longer texts are not held for an outline: none is made of them. UTF-16 units. */
const longestOutlined = 4 << 20;

/** A file of which all tokens have come. */
export interface FinishedFile {
  readonly map: FileMap;
  readonly definitions: readonly Definition[];
}

/** Takes down one file while its segments pass. */
export class FileInProgress {
  private readonly map: FileMapBuilder;
  /** Tokens that have not been taken. */
  private readonly held: MarkedTokens[] = [];
  /** Undefined when no outline is to be made. */
  private text: string | undefined;

  /**
   * @param file as it was when it was opened
   * @param begin token index of the first token of its header
   */
  constructor(
    readonly file: RepositoryFile,
    readonly begin: number,
    private readonly structure: StructureName,
  ) {
    this.map = new FileMapBuilder(begin);
    this.text = file.language === undefined ? undefined : '';
  }

  add(segment: Segment, ids: Int32Array, starts: Int32Array): void {
    const isHeader = segment.kind === 'header';
    const favoured = new Uint8Array(ids.length).fill(isHeader && this.structure !== 'none' ? 1 : 0);
    this.held.push({ ids, favoured });
    if (isHeader) {
      this.map.addHeader(starts.length);
      return;
    }
    this.map.add(segment.text, starts, segment.line, segment.column);
    if (this.text === undefined) return;
    this.text = this.text.length + segment.text.length > longestOutlined ? undefined : this.text + segment.text;
  }

  /** Tokens that can be read now: where lines that name definitions are to stay, none before all are known. */
  take(): readonly MarkedTokens[] {
    return this.structure === 'definitions' && this.text !== undefined ? [] : this.held.splice(0);
  }

  /** @param file as it was read. @returns what is known of it, and the tokens that remain to be read */
  async finish(file: RepositoryFile): Promise<FinishedFile & { readonly rest: readonly MarkedTokens[] }> {
    const definitions = this.text === undefined ? [] : await outlineSource(file, this.text);
    const map = this.map.finish(file);
    if (this.held.length > 0) markDefinitions(this.held, map, definitions);
    return { map, definitions, rest: this.held };
  }
}
