import { isJsonObject } from '../model/json-fields.js';
import type {
  Definition,
  DefinitionKind,
  RepositoryFile,
  SkippedFile,
  SkipReason,
  Survey,
  SurveyOptions,
} from '../repository/source.js';
import { DefinitionTable } from './definition-table.js';
import type { MemoryContent } from './repository-memory.js';
import { type FileMap, SourceMap } from './source-map.js';

/** The numbers of a memory's source map, file after file. */
export interface SourceMapArrays {
  /** Per line. */
  readonly lineTokens: Int32Array;
  readonly firstColumns: Uint16Array;
  /** Per token. */
  readonly widths: Uint8Array;
  /** Two per token that is too wide for a byte. */
  readonly wideTokens: Int32Array;
}

/** Token indices are kept as int32. */
const mostTokenIndex = 2 ** 31 - 1;

const definitionKinds: readonly DefinitionKind[] = [
  'function',
  'method',
  'class',
  'interface',
  'type',
  'enum',
  'constant',
  'variable',
  'module',
  'field',
];

const skipReasons: readonly SkipReason[] = [
  'binary',
  'generated',
  'lock-file',
  'too-large',
  'unreadable',
  'symlink-outside',
  'nested-repository',
  'not-utf8',
  'vanished',
  'empty',
];

/** A memory without its cache as JSON, and its source map as numbers. */
export function documentOf(content: MemoryContent): { readonly json: string; readonly arrays: SourceMapArrays } {
  const { survey, map, ...rest } = content;
  const files = map.files.map(({ file, begin, end, lineTokens, wideTokens }) => ({
    file,
    begin,
    end,
    lines: lineTokens.length,
    wide: wideTokens.length,
  }));
  return {
    json: JSON.stringify({ ...rest, survey, files }),
    arrays: {
      lineTokens: joined(map.files, (file) => file.lineTokens, Int32Array),
      firstColumns: joined(map.files, (file) => file.firstColumns, Uint16Array),
      widths: joined(map.files, (file) => file.widths, Uint8Array),
      wideTokens: joined(map.files, (file) => file.wideTokens, Int32Array),
    },
  };
}

function joined<Numbers extends Int32Array | Uint16Array | Uint8Array>(
  files: readonly FileMap[],
  part: (file: FileMap) => Numbers,
  Type: new (length: number) => Numbers,
): Numbers {
  const all = new Type(files.reduce((sum, file) => sum + part(file).length, 0));
  let offset = 0;
  for (const file of files) {
    all.set(part(file), offset);
    offset += part(file).length;
  }
  return all;
}

/** Reads JSON values of known form; anything else throws with the path of the value. */
class Reader {
  constructor(
    private readonly value: unknown,
    private readonly key: string | number,
    private readonly parent?: Reader,
  ) {}

  /** Put together only for an error: a large repository has millions of values. */
  private get where(): string {
    const { key, parent } = this;
    if (parent === undefined) return String(key);
    return typeof key === 'number' ? `${parent.where}[${key}]` : `${parent.where}.${key}`;
  }

  private wrong(expected: string): Error {
    return new Error(`${this.where} is not ${expected}`);
  }

  field(name: string): Reader {
    if (!isJsonObject(this.value)) throw this.wrong('an object');
    return new Reader(this.value[name], name, this);
  }

  list<Item>(of: (item: Reader) => Item): Item[] {
    if (!Array.isArray(this.value)) throw this.wrong('a list');
    return this.value.map((item: unknown, index) => of(new Reader(item, index, this)));
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.wrong('a text');
    return this.value;
  }

  optionalString(): string | undefined {
    return this.value === undefined ? undefined : this.string();
  }

  /** A finite number of 0 or more. */
  number(): number {
    if (typeof this.value !== 'number' || !(this.value >= 0 && this.value < Infinity)) throw this.wrong('a number');
    return this.value;
  }

  count(): number {
    const value = this.number();
    if (!Number.isSafeInteger(value)) throw this.wrong('a whole number');
    return value;
  }

  word<Word extends string>(words: readonly Word[]): Word {
    const word = words.find((candidate) => candidate === this.value);
    if (word === undefined) throw this.wrong(`one of ${words.join(', ')}`);
    return word;
  }
}

function readFile(reader: Reader): RepositoryFile {
  return {
    path: reader.field('path').string(),
    bytes: reader.field('bytes').count(),
    modified: reader.field('modified').number(),
    hash: reader.field('hash').string(),
    lines: reader.field('lines').count(),
    language: reader.field('language').optionalString(),
  };
}

function readSkipped(reader: Reader): SkippedFile {
  return {
    path: reader.field('path').string(),
    reason: reader.field('reason').word(skipReasons),
    detail: reader.field('detail').string(),
  };
}

function readDefinition(reader: Reader): Definition {
  return {
    name: reader.field('name').string(),
    kind: reader.field('kind').word(definitionKinds),
    path: reader.field('path').string(),
    line: reader.field('line').count(),
    endLine: reader.field('endLine').count(),
    nameLine: reader.field('nameLine').count(),
    container: reader.field('container').optionalString(),
  };
}

function readSurvey(reader: Reader): Survey {
  return {
    root: reader.field('root').string(),
    name: reader.field('name').string(),
    files: reader.field('files').list(readFile),
    skipped: reader.field('skipped').list(readSkipped),
    bytes: reader.field('bytes').count(),
  };
}

function readOptions(reader: Reader): SurveyOptions {
  return {
    maxFileBytes: reader.field('maxFileBytes').number(),
    exclude: reader.field('exclude').list((item) => item.string()),
    include: reader.field('include').list((item) => item.string()),
  };
}

/**
 * The content that {@link documentOf} wrote.
 * @throws Error with what does not fit
 */
export function contentOf(json: string, arrays: SourceMapArrays): MemoryContent {
  const parse: (text: string) => unknown = JSON.parse;
  const reader = new Reader(parse(json), 'the document');
  let line = 0;
  let token = 0;
  let wide = 0;
  let reached = 0;
  const files = reader.field('files').list((item): FileMap => {
    const begin = item.field('begin').count();
    const end = item.field('end').count();
    const lines = item.field('lines').count();
    const wides = item.field('wide').count();
    if (begin < reached || end < begin) throw new Error('the files of the document overlap');
    reached = end;
    const file = {
      file: readFile(item.field('file')),
      begin,
      end,
      lineTokens: arrays.lineTokens.subarray(line, line + lines),
      firstColumns: arrays.firstColumns.subarray(line, line + lines),
      widths: arrays.widths.subarray(token, token + end - begin),
      wideTokens: arrays.wideTokens.subarray(wide, wide + wides),
    };
    line += lines;
    token += end - begin;
    wide += wides;
    return file;
  });
  const { lineTokens, firstColumns, widths, wideTokens } = arrays;
  const fits = line === lineTokens.length && line === firstColumns.length && token === widths.length;
  if (!fits || wide !== wideTokens.length) throw new Error('the source map does not fit the files');
  const nextTokenIndex = reader.field('nextTokenIndex').count();
  if (nextTokenIndex < reached || nextTokenIndex > mostTokenIndex) throw new Error('its next token index is senseless');
  return {
    survey: readSurvey(reader.field('survey')),
    options: readOptions(reader.field('options')),
    map: new SourceMap(files),
    definitions: DefinitionTable.of(reader.field('definitions').list(readDefinition)),
    skipped: reader.field('skipped').list(readSkipped),
    tokensRead: reader.field('tokensRead').count(),
    nextTokenIndex,
  };
}
