import type { JsonReader } from '../../contract/json.js';
import { text, texts } from '../../contract/kinds.js';
import { definitionKinds, skipReasons } from '../../contract/words.js';
import type { SkippedFile } from '../../contract/contents.js';
import type { Definition, RepositoryFile, Survey, SurveyOptions } from '../../repository/source.js';
import { DefinitionTable } from '../contents/definition-table.js';
import { readStored } from './stored-json.js';
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

function readFile(reader: JsonReader): RepositoryFile {
  return {
    path: reader.text('path'),
    bytes: reader.count('bytes'),
    modified: reader.amount('modified'),
    hash: reader.text('hash'),
    lines: reader.count('lines'),
    language: reader.find('language', text),
  };
}

function readSkipped(reader: JsonReader): SkippedFile {
  return {
    path: reader.text('path'),
    reason: reader.word('reason', skipReasons),
    detail: reader.text('detail'),
  };
}

function readDefinition(reader: JsonReader): Definition {
  return {
    name: reader.text('name'),
    kind: reader.word('kind', definitionKinds),
    path: reader.text('path'),
    line: reader.count('line'),
    endLine: reader.count('endLine'),
    nameLine: reader.count('nameLine'),
    container: reader.find('container', text),
  };
}

function readSurvey(reader: JsonReader): Survey {
  return {
    root: reader.text('root'),
    name: reader.text('name'),
    files: reader.list('files', readFile),
    skipped: reader.list('skipped', readSkipped),
    bytes: reader.count('bytes'),
  };
}

function readOptions(reader: JsonReader): SurveyOptions {
  return {
    maxFileBytes: reader.amount('maxFileBytes'),
    exclude: reader.get('exclude', texts),
    include: reader.get('include', texts),
  };
}

function readOpenPart(reader: JsonReader): OpenPart {
  return { file: reader.findObject('file', readFile), begin: reader.count('begin') };
}

/** Files with their part of the source map, by ascending token index. */
function readMap(document: JsonReader, arrays: SourceMapArrays, nextTokenIndex: number): SourceMap {
  let line = 0;
  let token = 0;
  let wide = 0;
  let reached = 0;
  const maps = document.list('files', (item): FileMap => {
    const begin = item.count('begin');
    const end = item.count('end');
    const lines = item.count('lines');
    const wides = item.count('wide');
    if (begin < reached || end < begin) throw new Error('the files of the document overlap');
    reached = end;
    const file = {
      file: readFile(item.object('file')),
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

function readCommon(document: JsonReader, arrays: SourceMapArrays) {
  const nextTokenIndex = document.count('nextTokenIndex');
  return {
    map: readMap(document, arrays, nextTokenIndex),
    definitions: DefinitionTable.of(document.list('definitions', readDefinition)),
    skipped: document.list('skipped', readSkipped),
    tokensRead: document.count('tokensRead'),
    nextTokenIndex,
  };
}

/**
 * The memory that {@link documentOf} wrote.
 * @throws Error with what does not fit
 */
export function contentOf(json: string, arrays: SourceMapArrays): MemoryContent {
  const document = readStored(json, 'the document');
  return {
    ...readCommon(document, arrays),
    survey: readSurvey(document.object('survey')),
    options: readOptions(document.object('options')),
    made: document.amount('made'),
  };
}

/**
 * The partial reading that {@link documentOf} wrote.
 * @throws Error with what does not fit
 */
export function partialReadingOf(json: string, arrays: SourceMapArrays): PartialReading {
  const document = readStored(json, 'the document');
  const common = readCommon(document, arrays);
  const open = document.findObject('open', readOpenPart);
  const reached = common.map.files.at(-1)?.end ?? 0;
  if (open !== undefined && (open.begin < reached || open.begin >= common.nextTokenIndex))
    throw new Error('what was being read does not begin behind the files that were read');
  return { ...common, open, seconds: document.amount('seconds') };
}
