import { symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { GgufValue } from '../../../../bench/gguf.js';
import { LocretError } from '../../../../server/errors.js';
import { GgufFile } from '../../../../server/model/gguf/gguf-file.js';
import { expectRefusal } from '../model-folder.js';
import { bytesOf, fileOf, floats, tensor, withMetadata, writeContent, type GgufContent } from './gguf-files.js';
import { bool, string, strings, uint32 } from './tokenizer-contents.js';

const opened: GgufFile[] = [];
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
});

function open(file: string): GgufFile {
  const gguf = GgufFile.open(file);
  opened.push(gguf);
  return gguf;
}

const small: GgufContent = {
  metadata: new Map<string, GgufValue>([
    ['general.architecture', string('llama')],
    ['a.uint8', { type: 'uint8', value: 200 }],
    ['a.int8', { type: 'int8', value: -100 }],
    ['a.uint16', { type: 'uint16', value: 60000 }],
    ['a.int16', { type: 'int16', value: -30000 }],
    ['a.uint32', uint32(4e9)],
    ['a.int32', { type: 'int32', value: -2e9 }],
    ['a.float32', { type: 'float32', value: 0.1 }],
    ['a.float64', { type: 'float64', value: 0.1 }],
    ['a.uint64', { type: 'uint64', value: 2n ** 63n }],
    ['a.small_uint64', { type: 'uint64', value: 7n }],
    ['a.int64', { type: 'int64', value: -(2n ** 62n) }],
    ['a.bool', bool(true)],
    ['a.strings', strings(['', 'é漢😀', '\ufeffx', 'a\ufffdb'])],
    ['a.int32s', { type: 'list', of: 'int32', value: [1, -2, 3] }],
    ['a.float32s', { type: 'list', of: 'float32', value: [0.5, -1] }],
    ['a.bools', { type: 'list', of: 'bool', value: [true, false] }],
    ['a.uint64s', { type: 'list', of: 'uint64', value: [1n, 2n ** 63n] }],
    ['a.nothing', { type: 'list', of: 'uint16', value: [] }],
  ]),
  tensors: [
    floats('first', [3], Float32Array.of(1, 2, 3)),
    tensor('second', [64, 2], 'Q8_0', new Uint8Array(4 * 34).fill(7)),
    floats('third', [2, 2], Float32Array.of(4, 5, 6, 7)),
  ],
};

const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number | bigint): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string | Buffer): Buffer => Buffer.concat([u64(Buffer.from(value).length), Buffer.from(value)]);

/** A file of version 3 with these counts and bytes, long enough not to be refused as too short. */
function fileWith(tensors: number | bigint, keys: number | bigint, ...parts: readonly Buffer[]): string {
  return fileOf(Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(keys), ...parts]));
}

/** The description of a tensor. */
function described(
  name: string,
  dimensions: readonly (number | bigint)[],
  type: number,
  offset: number | bigint,
): Buffer {
  return Buffer.concat([text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset)]);
}

describe('a GGUF file', () => {
  it('gives all kinds of metadata as they were written', () => {
    const { values } = open(writeContent(small)).metadata;
    expect(Object.fromEntries(values)).toEqual({
      'general.architecture': 'llama',
      'a.uint8': 200,
      'a.int8': -100,
      'a.uint16': 60000,
      'a.int16': -30000,
      'a.uint32': 4e9,
      'a.int32': -2e9,
      'a.float32': Math.fround(0.1),
      'a.float64': 0.1,
      'a.uint64': 2n ** 63n,
      'a.small_uint64': 7,
      'a.int64': -(2n ** 62n),
      'a.bool': true,
      'a.strings': ['', 'é漢😀', '\ufeffx', 'a\ufffdb'],
      'a.int32s': Int32Array.of(1, -2, 3),
      'a.float32s': Float32Array.of(0.5, -1),
      'a.bools': Uint8Array.of(1, 0),
      'a.uint64s': BigUint64Array.of(1n, 2n ** 63n),
      'a.nothing': new Uint16Array(0),
    });
  });

  it('gives tensors in any order of reading', () => {
    const file = open(writeContent(small));
    expect(file.readFloats(file.expect('third', [2, 2]), 0, 4)).toEqual(Float32Array.of(4, 5, 6, 7));
    expect(file.readFloats(file.expect('first', [3]), 1, 2)).toEqual(Float32Array.of(2, 3));
    expect(file.readBytes(file.expect('second', [2, 64]), 34, 3)).toEqual(Uint8Array.of(7, 7, 7));
    expect(() => file.readBytes(file.expect('first', [3]), 8, 8)).toThrow(RangeError);
    expect(() => file.readBytes(file.expect('first', [3]), -1, 8)).toThrow(RangeError);
  });

  it('may be of version 2, aligned to another power of two, or without padding at its end', () => {
    const second = bytesOf(small);
    second.writeUInt32LE(2, 4);
    expect(open(fileOf(second)).tensors.size).toBe(3);
    const end = bytesOf(small).length - 16;
    expect(open(fileOf(bytesOf(small).subarray(0, end))).tensors.size).toBe(3);
    const one = {
      metadata: new Map([['general.alignment', uint32(512)]]),
      tensors: [small.tensors[0]].flatMap((it) => it ?? []),
    };
    const bytes = bytesOf(one);
    const data = bytes.subarray(-32);
    const aligned = Buffer.concat([bytes.subarray(0, -32), Buffer.alloc(512 - (bytes.length - 32)), data]);
    const file = open(fileOf(aligned));
    expect(file.readFloats(file.expect('first', [3]), 0, 3)).toEqual(Float32Array.of(1, 2, 3));
  });

  it('reads a header longer than one piece', () => {
    const long = Array.from({ length: 60_000 }, (_, index) => `token ${index} é`);
    const content = withMetadata(small, { 'a.long': strings(long), 'a.behind': uint32(7) });
    const file = open(writeContent(content));
    expect(file.metadata.strings('a.long')).toEqual(long);
    expect(file.metadata.values.get('a.behind')).toBe(7);
    expect(file.readFloats(file.expect('first', [3]), 0, 3)).toEqual(Float32Array.of(1, 2, 3));
  });

  it.each<readonly [string, Buffer | string, RegExp]>([
    ['GGML of 2023', Buffer.concat([Buffer.from('lmgg'), Buffer.alloc(64)]), /is a GGML file of 2023, not a GGUF file/],
    ['GGMF of 2023', Buffer.concat([Buffer.from('fmgg'), Buffer.alloc(64)]), /is a GGMF file of 2023/],
    ['GGJT of 2023', Buffer.concat([Buffer.from('tjgg'), Buffer.alloc(64)]), /is a GGJT file of 2023/],
    [
      'GGUF of version 1',
      Buffer.concat([Buffer.from('GGUF'), u32(1), Buffer.alloc(64)]),
      /is a GGUF file of version 1/,
    ],
    [
      'GGUF of version 4',
      Buffer.concat([Buffer.from('GGUF'), u32(4), Buffer.alloc(64)]),
      /is a GGUF file of version 4/,
    ],
    [
      'big-endian GGUF',
      Buffer.concat([Buffer.from('GGUF'), Buffer.from([0, 0, 0, 3]), Buffer.alloc(64)]),
      /is a big-endian GGUF file/,
    ],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n',
      /is a Git LFS pointer/,
    ],
    ['a zip archive', Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(64)]), /is a zip archive/],
    ['a web page', '<!DOCTYPE html><title>Not found</title>', /is not a GGUF file/],
  ])('is refused by name where it is %s', (_, bytes, message) => {
    expectRefusal(() => open(fileOf(Buffer.from(bytes))), 'model-unsupported', message);
  });

  it('is refused where it is missing, a folder or too short', () => {
    expectRefusal(() => open('/nowhere/model.gguf'), 'model-corrupt', '/nowhere/model.gguf is missing');
    expectRefusal(() => open(path.dirname(writeContent(small))), 'model-corrupt', 'is not a regular file');
    expectRefusal(() => open(fileOf(Buffer.from('GGUF'))), 'model-corrupt', 'has 4 bytes; a GGUF file has at least 24');
  });

  it('is refused wherever it is cut', () => {
    const bytes = bytesOf(small);
    // The last 16 bytes are padding.
    for (let length = 0; length < bytes.length - 16; length++) {
      expect(() => open(fileOf(bytes.subarray(0, length), 'cut.gguf'))).toThrow(LocretError);
    }
  });

  it('is refused with bytes behind its end', () => {
    const longer = fileOf(Buffer.concat([bytesOf(small), Buffer.alloc(1)]));
    expectRefusal(() => open(longer), 'model-corrupt', /has \d+ bytes; its header describes \d+/);
  });

  it('is refused where padding is none, since bytes were lost or came in between', () => {
    const bytes = bytesOf(small);
    const file = open(fileOf(bytes));
    const [first, second] = [file.expect('first', [3]), file.expect('second', [2, 64])];
    for (const at of [first.begin - 1, first.end, second.begin - 1, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = 1;
      expectRefusal(() => open(fileOf(damaged)), 'model-corrupt', 'where only padding is expected');
    }
    const shifted = Buffer.concat([bytes.subarray(0, first.begin - 3), bytes.subarray(first.begin)]);
    expectRefusal(() => open(fileOf(shifted)), 'model-corrupt', 'where only padding is expected');
  });

  it.each<readonly [string, () => string, RegExp]>([
    [
      'more metadata than it can hold',
      () => fileWith(0, 2n ** 63n),
      /declares \d+ metadata values .*; at most 0 are possible/,
    ],
    ['more tensors than it can hold', () => fileWith(2n ** 40n, 0), /declares 1099511627776 tensors .*; at most 0/],
    [
      'a name of endless length',
      () => fileWith(0, 1, u64(2n ** 62n), Buffer.alloc(64)),
      /declares 46116860184273\d+ bytes of text in the name of metadata value 1 of 1; at most 64/,
    ],
    [
      'a value of endless length',
      () => fileWith(0, 1, text('k'), u32(8), u64(2n ** 62n), Buffer.alloc(64)),
      /bytes of text in the metadata "k"; at most 64/,
    ],
    [
      'a list of endless length',
      () => fileWith(0, 1, text('k'), u32(9), u32(6), u64(2n ** 61n), Buffer.alloc(64)),
      /declares \d+ elements in the metadata "k"; at most 16/,
    ],
    [
      'a list of strings of endless length',
      () => fileWith(0, 1, text('k'), u32(9), u32(8), u64(1000), Buffer.alloc(64)),
      /declares 1000 elements in the metadata "k"; at most 8/,
    ],
    [
      'a list of lists',
      () => fileWith(0, 1, text('k'), u32(9), u32(9), u64(1), Buffer.alloc(64)),
      /"k" that is a list of lists/,
    ],
    ['a value of unknown type', () => fileWith(0, 1, text('k'), u32(13), Buffer.alloc(64)), /"k" of unknown type 13/],
    [
      'a list of unknown type',
      () => fileWith(0, 1, text('k'), u32(9), u32(99), u64(0), Buffer.alloc(64)),
      /"k", a list of unknown type 99/,
    ],
    [
      'a truth value of 2',
      () => fileWith(0, 1, text('k'), u32(7), Buffer.from([2]), Buffer.alloc(64)),
      /"k" whose truth value is 2/,
    ],
    [
      'the same metadata twice',
      () => fileWith(0, 2, text('k'), u32(4), u32(1), text('k'), u32(4), u32(2), Buffer.alloc(64)),
      /the metadata "k" twice/,
    ],
    [
      'a name that is not UTF-8',
      () => fileWith(0, 1, text(Buffer.from([0x61, 0xff])), u32(4), Buffer.alloc(64)),
      /text that is not UTF-8 in the name of metadata value 1/,
    ],
    [
      'a text cut within a character',
      () => fileWith(0, 1, text('k'), u32(8), text(Buffer.from('é').subarray(0, 1)), Buffer.alloc(64)),
      /not UTF-8 in the metadata "k"/,
    ],
    [
      'an alignment of 3',
      () => writeContent(withMetadata(small, { 'general.alignment': uint32(3) })),
      /"general.alignment" 3; expected a power of two/,
    ],
    [
      'an alignment of 0',
      () => writeContent(withMetadata(small, { 'general.alignment': uint32(0) })),
      /"general.alignment" 0/,
    ],
    [
      'an endless alignment',
      () => writeContent(withMetadata(small, { 'general.alignment': uint32(2 ** 31) })),
      /"general.alignment" 2147483648/,
    ],
    [
      'the same tensor twice',
      () => fileWith(2, 0, described('t', [8], 0, 0), described('t', [8], 0, 32), Buffer.alloc(200)),
      /the tensor "t" twice/,
    ],
    [
      'a tensor name that is too long',
      () => fileWith(1, 0, described('t'.repeat(65), [8], 0, 0), Buffer.alloc(200)),
      /declares 65 bytes of text in the description of tensor 1 of 1; at most 64/,
    ],
    [
      'a tensor of no dimension',
      () => fileWith(1, 0, described('t', [], 0, 0), Buffer.alloc(200)),
      /"t" of 0 dimensions; expected 1 to 4/,
    ],
    [
      'a tensor of five dimensions',
      () => fileWith(1, 0, described('t', [1, 1, 1, 1, 1], 0, 0), Buffer.alloc(200)),
      /"t" of 5 dimensions/,
    ],
    [
      'an empty tensor',
      () => fileWith(1, 0, described('t', [8, 0], 0, 0), Buffer.alloc(200)),
      /"t" with a dimension of 0/,
    ],
    [
      'a dimension beyond all numbers',
      () => fileWith(1, 0, described('t', [2n ** 64n - 1n], 0, 0), Buffer.alloc(200)),
      /"t" with a dimension of 18446744073709551615/,
    ],
    [
      'dimensions whose product is beyond all numbers',
      () => fileWith(1, 0, described('t', [2 ** 30, 2 ** 30, 2 ** 30], 0, 0), Buffer.alloc(200)),
      /"t" of impossible shape/,
    ],
    [
      'a tensor that is not in it',
      () => fileWith(1, 0, described('t', [2 ** 30], 0, 0), Buffer.alloc(200)),
      /"t" ends at byte \d+ .* it is truncated/,
    ],
    [
      'a tensor of unknown type',
      () => fileWith(1, 0, described('t', [8], 77, 0), Buffer.alloc(200)),
      /"t" of unknown type 77/,
    ],
    [
      'rows that are no whole blocks',
      () => fileWith(1, 0, described('t', [48], 8, 0), Buffer.alloc(200)),
      /"t" of shape \[48\], whose rows are no whole number of Q8_0 blocks of 32/,
    ],
    [
      'a tensor that does not begin the data',
      () => fileWith(1, 0, described('t', [8], 0, 32), Buffer.alloc(200)),
      /"t" at offset 32; expected 0/,
    ],
    [
      'a gap between tensors',
      () => fileWith(2, 0, described('t', [8], 0, 0), described('u', [8], 0, 64), Buffer.alloc(200)),
      /"u" at offset 64; expected 32/,
    ],
    [
      'tensors that overlap',
      () => fileWith(2, 0, described('t', [16], 0, 0), described('u', [8], 0, 32), Buffer.alloc(200)),
      /"u" at offset 32; expected 64/,
    ],
  ])('is refused with %s', (_, file, message) => {
    expectRefusal(() => open(file()), 'model-corrupt', /^\/.*\.gguf /, message);
  });

  it.each([
    [16, 'IQ2_XXS'],
    [39, 'MXFP4'],
    [4, 'Q4_2'],
    [24, 'I8'],
  ])('is refused by the name of an encoding that is not read: %i is %s', (type, name) => {
    const file = fileWith(1, 0, described('t', [256], type, 0), Buffer.alloc(500));
    expectRefusal(() => open(file), 'model-unsupported', `stores the tensor "t" as ${name}, which is not supported`);
  });

  it('says so when it was cut or closed while in use', () => {
    const path = writeContent(small);
    const file = open(path);
    const third = file.expect('third', [2, 2]);
    truncateSync(path, third.begin + 4);
    expectRefusal(() => file.readFloats(third, 0, 4), 'model-corrupt', 'ended inside of tensor "third"');
    file.close();
    expect(() => file.readFloats(third, 0, 4)).toThrow('is closed');
  });

  it('has a fingerprint that changes with its header and its time, not with its place', () => {
    const path = writeContent(small);
    const { fingerprint } = open(path);
    expect(open(path).fingerprint).toBe(fingerprint);
    utimesSync(path, 1, 1);
    const older = open(path).fingerprint;
    expect(older).not.toBe(fingerprint);
    const other = writeContent(withMetadata(small, { 'a.uint8': { type: 'uint8', value: 201 } }));
    utimesSync(other, 1, 1);
    expect(open(other).fingerprint).not.toBe(older);
  });
});

describe('a GGUF file in parts', () => {
  let models = 0;

  /** Parts of a model as llama.cpp's gguf-split writes them: all metadata in the first, each with its number. */
  function parts(changes: Readonly<Record<string, GgufValue | undefined>> = {}, count = 3): string[] {
    const name = `split-${++models}`;
    return Array.from({ length: count }, (_, index) => {
      const content = {
        metadata: index === 0 ? small.metadata : new Map<string, GgufValue>(),
        tensors: small.tensors.slice(index, index === count - 1 ? undefined : index + 1),
      };
      const split = {
        'split.no': { type: 'uint16', value: index },
        'split.count': { type: 'uint16', value: count },
        'split.tensors.count': { type: 'int32', value: small.tensors.length },
      } as const;
      const number = (part: number): string => String(part).padStart(5, '0');
      return writeContent(
        withMetadata(content, { ...split, ...(index === count - 1 ? changes : {}) }),
        `${name}-${number(index + 1)}-of-${number(count)}.gguf`,
      );
    });
  }

  it('is read whole, whichever part is given', () => {
    for (const given of parts()) {
      const file = open(given);
      expect([...file.tensors.keys()]).toEqual(['first', 'second', 'third']);
      expect(file.path).toMatch(/-00001-of-00003\.gguf$/);
      expect(file.metadata.string('general.architecture')).toBe('llama');
      expect(file.readFloats(file.expect('third', [2, 2]), 0, 4)).toEqual(Float32Array.of(4, 5, 6, 7));
      expect(file.readFloats(file.expect('first', [3]), 0, 3)).toEqual(Float32Array.of(1, 2, 3));
    }
  });

  it('may have a first part without tensors', () => {
    const [first = '', second = ''] = parts({ 'split.tensors.count': uint32(2) }, 2);
    const none = new Map<string, GgufValue>([...small.metadata, ['split.no', uint32(0)], ['split.count', uint32(2)]]);
    writeFileSync(first, bytesOf({ metadata: none, tensors: [] }));
    expect([...open(second).tensors.keys()]).toEqual(['second', 'third']);
  });

  it('is refused when a part is missing, naming it', () => {
    const [first = '', second = ''] = parts();
    writeFileSync(second, '');
    expectRefusal(() => open(first), 'model-corrupt', /-00002-of-00003\.gguf has 0 bytes/);
    const alone = writeContent(small, 'alone-00001-of-00002.gguf');
    expectRefusal(() => open(alone), 'model-corrupt', 'alone-00002-of-00002.gguf is missing');
  });

  it('is refused when its parts do not agree with their names', () => {
    const [, second = ''] = parts({ 'split.no': uint32(1) });
    expectRefusal(() => open(second), 'model-corrupt', /-00003-of-00003.* its "split.no" is 1; expected 2/);
    const [first = ''] = parts({ 'split.count': undefined });
    expectRefusal(() => open(first), 'model-corrupt', /one of 1 parts, but its name that it is one of 3/);
    const renamed = writeContent(withMetadata(small, { 'split.count': uint32(3), 'split.no': uint32(0) }));
    expectRefusal(() => open(renamed), 'model-corrupt', 'named as in "model-00001-of-00003.gguf"');
  });

  it('is refused when a tensor is in two parts, or one is in none', () => {
    const [first = '', , third = ''] = parts();
    const split = { 'split.no': uint32(2), 'split.count': uint32(3) };
    writeFileSync(third, bytesOf(withMetadata({ metadata: new Map(), tensors: small.tensors.slice(0, 1) }, split)));
    expectRefusal(() => open(first), 'model-corrupt', 'has the tensor "first", which an earlier part also has');
    writeFileSync(third, bytesOf(withMetadata({ metadata: new Map(), tensors: [] }, split)));
    expectRefusal(() => open(first), 'model-corrupt', 'says that its parts have 3 tensors; they have 2');
  });

  it('changes its fingerprint with any part', () => {
    const [first = '', , third = ''] = parts();
    const { fingerprint } = open(first);
    utimesSync(third, 1, 1);
    expect(open(first).fingerprint).not.toBe(fingerprint);
  });

  it('may be given by a link that has another name', () => {
    const [first = ''] = parts();
    const link = path.join(path.dirname(first), 'link.gguf');
    symlinkSync(first, link);
    expectRefusal(() => open(link), 'model-corrupt', 'parts are named as in');
  });
});
