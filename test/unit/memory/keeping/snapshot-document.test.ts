import { beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../../server/contract/json.js';
import { DefinitionTable } from '../../../../server/memory/contents/definition-table.js';
import type { MemoryContent } from '../../../../server/memory/contents/repository-memory.js';
import { nothingRead, type PartialReading } from '../../../../server/memory/reading/partial-reading.js';
import {
  contentOf,
  documentOf,
  partialReadingOf,
  type SourceMapArrays,
} from '../../../../server/memory/keeping/snapshot-document.js';
import { FileMapBuilder, SourceMap } from '../../../../server/memory/contents/source-map.js';
import type { RepositoryFile } from '../../../../server/repository/source.js';

const fileNamed = (path: string, language?: string): RepositoryFile => ({
  path,
  bytes: 12,
  modified: 1_700_000_000_000.25,
  hash: 'ab'.repeat(32),
  lines: 2,
  language,
});

function mapAt(begin: number, path: string) {
  const map = new FileMapBuilder(begin);
  map.addHeader(2);
  map.add(`ab${'='.repeat(400)}c\nd\n`, Int32Array.of(0, 1, 402, 403, 404), 1, 1);
  return map.finish(fileNamed(path, path.endsWith('.ts') ? 'typescript' : undefined));
}

const content: MemoryContent = {
  survey: {
    root: '/some where/repository',
    name: 'repository',
    files: [fileNamed('a.ts', 'typescript'), fileNamed('Ä "b".txt')],
    skipped: [{ path: 'c.bin', reason: 'binary', detail: 'it holds a NUL byte' }],
    bytes: 24,
  },
  options: { maxFileBytes: 1 << 20, exclude: ['*.snap'], include: [] },
  map: new SourceMap([mapAt(5, 'a.ts'), mapAt(12, 'Ä "b".txt')]),
  definitions: DefinitionTable.of([
    { name: 'a', kind: 'function', path: 'a.ts', line: 1, endLine: 2, nameLine: 1, container: undefined },
    { name: 'b', kind: 'method', path: 'a.ts', line: 2, endLine: 2, nameLine: 2, container: 'a' },
  ]),
  skipped: [{ path: 'd.txt', reason: 'vanished', detail: '' }],
  tokensRead: 19,
  nextTokenIndex: 19,
  made: 1_750_000_000_000,
};

let json: string;
let arrays: SourceMapArrays;

beforeAll(() => {
  ({ json, arrays } = documentOf(content));
});

/** The document with one value replaced. */
function changed(keys: readonly (string | number)[], value: unknown): string {
  const parse: (text: string) => unknown = JSON.parse;
  const document = parse(json);
  let target: unknown = document;
  for (const key of keys.slice(0, -1))
    target = Array.isArray(target) ? target[Number(key)] : isJsonObject(target) ? target[key] : undefined;
  if (typeof target !== 'object' || target === null) throw new Error('there is no such place');
  Reflect.set(target, keys.at(-1) ?? '', value);
  return JSON.stringify(document);
}

describe('the document of a snapshot', () => {
  it('gives back everything that was written', () => {
    expect(contentOf(json, arrays)).toEqual(content);
  });

  it.each([
    [['tokensRead'], -1, 'the document.tokensRead is not a number'],
    [['tokensRead'], 1.5, 'the document.tokensRead is not a whole number'],
    [['survey', 'files', 1, 'hash'], 7, 'the document.survey.files[1].hash is not a text'],
    [['survey', 'skipped', 0, 'reason'], 'boring', 'the document.survey.skipped[0].reason is not one of binary, '],
    [['definitions', 1, 'kind'], 'poem', 'the document.definitions[1].kind is not one of function, '],
    [['definitions'], {}, 'the document.definitions is not a list'],
    [['survey'], [], 'the document.survey is not an object'],
    [['files', 1, 'begin'], 11, 'overlap'],
    [['files', 0, 'end'], 4, 'overlap'],
    [['files', 1, 'end'], 20, 'does not fit the files'],
    [['files', 0, 'lines'], 3, 'does not fit the files'],
    [['files', 0, 'wide'], 0, 'does not fit the files'],
    [['nextTokenIndex'], 18, 'next token index'],
    [['nextTokenIndex'], 2 ** 31, 'next token index'],
  ])('is refused when %j is %j', (keys, value, message) => {
    expect(() => contentOf(changed(keys, value), arrays)).toThrow(message);
  });

  it('is refused when it is no JSON', () => {
    expect(() => contentOf(json.slice(1), arrays)).toThrow();
  });
});

describe('the document of a partial reading', () => {
  const partial: PartialReading = {
    map: content.map,
    definitions: content.definitions,
    skipped: content.skipped,
    open: { file: fileNamed('c.ts', 'typescript'), begin: 19 },
    tokensRead: 25,
    nextTokenIndex: 32,
    seconds: 2.5,
  };
  const backAndForth = (written: PartialReading): PartialReading => {
    const document = documentOf(written);
    return partialReadingOf(document.json, document.arrays);
  };

  it.each([
    ['a file is open', partial],
    ['nothing is open', { ...partial, open: undefined }],
    ['nothing but the header was read', { ...nothingRead, open: { file: undefined, begin: 0 }, nextTokenIndex: 8 }],
  ])('gives back everything that was written when %s', (_, written) => {
    expect(backAndForth(written)).toEqual(written);
  });

  it.each([18, 32])('is refused when what is open begins at %i', (begin) => {
    expect(() => backAndForth({ ...partial, open: { file: undefined, begin } })).toThrow('does not begin behind');
  });
});
