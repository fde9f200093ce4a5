import { definitionKinds, skipReasons } from '../../contract/words.js';
import type { SkippedFile } from '../../contract/contents.js';
import type { Definition, RepositoryFile, Survey, SurveyOptions } from '../../repository/source.js';
import { DefinitionTable } from '../contents/definition-table.js';
import { JsonValue } from '../json-value.js';
import type { OpenPart, PartialReading } from '../reading/partial-reading.js';
import type { MemoryContent } from '../contents/repository-memory.js';
import { type FileMap, SourceMap } from '../contents/source-map.js';

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

/** A memory or a partial reading without its cache: JSON, and the source map as numbers. */
export interface SnapshotDocument {
  readonly json: string;
  readonly arrays: SourceMapArrays;
}

/** Token indices are kept as int32. */
const mostTokenIndex = 2 ** 31 - 1;

/** What {@link contentOf} reads: a memory or a partial reading, whose source map becomes numbers. */
export function documentOf({ map, ...rest }: MemoryContent | PartialReading): SnapshotDocument {
  const files = map.files.map(({ file, begin, end, lineTokens, wideTokens }) => ({
    file,
    begin,
    end,
    lines: lineTokens.length,
    wide: wideTokens.length,
  }));
  return {
    json: JSON.stringify({ ...rest, files }),
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

function readFile(value: JsonValue): RepositoryFile {
  return {
    path: value.field('path').string(),
    bytes: value.field('bytes').count(),
    modified: value.field('modified').number(),
    hash: value.field('hash').string(),
    lines: value.field('lines').count(),
    language: value.field('language').optional((text) => text.string()),
  };
}

function readSkipped(value: JsonValue): SkippedFile {
  return {
    path: value.field('path').string(),
    reason: value.field('reason').word(skipReasons),
    detail: value.field('detail').string(),
  };
}

function readDefinition(value: JsonValue): Definition {
  return {
    name: value.field('name').string(),
    kind: value.field('kind').word(definitionKinds),
    path: value.field('path').string(),
    line: value.field('line').count(),
    endLine: value.field('endLine').count(),
    nameLine: value.field('nameLine').count(),
    container: value.field('container').optional((text) => text.string()),
  };
}

function readSurvey(value: JsonValue): Survey {
  return {
    root: value.field('root').string(),
    name: value.field('name').string(),
    files: value.field('files').list(readFile),
    skipped: value.field('skipped').list(readSkipped),
    bytes: value.field('bytes').count(),
  };
}

function readOptions(value: JsonValue): SurveyOptions {
  return {
    maxFileBytes: value.field('maxFileBytes').number(),
    exclude: value.field('exclude').list((item) => item.string()),
    include: value.field('include').list((item) => item.string()),
  };
}

function readOpenPart(value: JsonValue): OpenPart {
  return { file: value.field('file').optional(readFile), begin: value.field('begin').count() };
}

/** Files with their part of the source map, by ascending token index. */
function readMap(files: JsonValue, arrays: SourceMapArrays, nextTokenIndex: number): SourceMap {
  let line = 0;
  let token = 0;
  let wide = 0;
  let reached = 0;
  const maps = files.list((item): FileMap => {
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
  if (nextTokenIndex < reached || nextTokenIndex > mostTokenIndex) throw new Error('its next token index is senseless');
  return new SourceMap(maps);
}

function readCommon(document: JsonValue, arrays: SourceMapArrays) {
  const nextTokenIndex = document.field('nextTokenIndex').count();
  return {
    map: readMap(document.field('files'), arrays, nextTokenIndex),
    definitions: DefinitionTable.of(document.field('definitions').list(readDefinition)),
    skipped: document.field('skipped').list(readSkipped),
    tokensRead: document.field('tokensRead').count(),
    nextTokenIndex,
  };
}

function parseDocument(json: string): JsonValue {
  const parse: (text: string) => unknown = JSON.parse;
  return new JsonValue(parse(json), 'the document');
}

/**
 * The memory that {@link documentOf} wrote.
 * @throws Error with what does not fit
 */
export function contentOf(json: string, arrays: SourceMapArrays): MemoryContent {
  const document = parseDocument(json);
  return {
    ...readCommon(document, arrays),
    survey: readSurvey(document.field('survey')),
    options: readOptions(document.field('options')),
    made: document.field('made').number(),
  };
}

/**
 * The partial reading that {@link documentOf} wrote.
 * @throws Error with what does not fit
 */
export function partialReadingOf(json: string, arrays: SourceMapArrays): PartialReading {
  const document = parseDocument(json);
  const common = readCommon(document, arrays);
  const open = document.field('open').optional(readOpenPart);
  const reached = common.map.files.at(-1)?.end ?? 0;
  if (open !== undefined && (open.begin < reached || open.begin >= common.nextTokenIndex))
    throw new Error('what was being read does not begin behind the files that were read');
  return { ...common, open, seconds: document.field('seconds').number() };
}
