import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { damagedModel } from '../../../server/model/json-fields.js';
import { SafetensorsFile } from '../../../server/model/safetensors.js';
import { expectRefusal, modelFolder, safetensorsBytes } from './model-folder.js';

const file = 'some.safetensors';

function open(bytes: Uint8Array): SafetensorsFile {
  return SafetensorsFile.open(path.join(modelFolder({ [file]: bytes }), file), damagedModel);
}

function float32(begin: number, end: number, shape: readonly number[] = [(end - begin) / 4]): object {
  return { dtype: 'F32', shape, data_offsets: [begin, end] };
}

describe('SafetensorsFile.open', () => {
  const eight = new Uint8Array(8);
  const deep = `{"a":{"dtype":"F32","shape":${'['.repeat(100_000)}${']'.repeat(100_000)},"data_offsets":[0,8]}}`;
  it.each<readonly [string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /has 0 bytes; .* at least 8/],
    ['a header length beyond the file', safetensorsBytes('{}', eight, 1000n), /declares a header of 1000 bytes/],
    ['a header length of 2^63', safetensorsBytes('{}', eight, 2n ** 63n), /declares a header of 9223372036854775808/],
    ['a header that is not UTF-8', safetensorsBytes('', Uint8Array.of(0xff), 1n), /not UTF-8/],
    ['a header that is not JSON', safetensorsBytes('{"a": NaN}', eight), /not JSON/],
    ['a header that is a list', safetensorsBytes('[]', eight), /not a JSON object/],
    ['a shape nested too deeply', safetensorsBytes(deep, eight), /"a" of senseless shape/],
    ['an entry that is no object', safetensorsBytes({ a: 3 }, eight), /"a" whose description is not a JSON object/],
    ['metadata that is no object', safetensorsBytes({ __metadata__: 3 }, eight), /"__metadata__"/],
    ['a type that does not exist', safetensorsBytes({ a: { dtype: 'F31' } }, eight), /"a" of unknown type "F31"/],
    ['a negative size', safetensorsBytes({ a: float32(0, 8, [-2]) }, eight), /"a" of senseless shape \[-2\]/],
    ['a fractional size', safetensorsBytes({ a: float32(0, 8, [1.5]) }, eight), /"a" of senseless shape/],
    [
      'a product of sizes that overflows',
      safetensorsBytes({ a: float32(0, 8, [2 ** 40, 2 ** 40]) }, eight),
      /impossible/,
    ],
    ['offsets backwards', safetensorsBytes({ a: float32(8, 0, [2]) }, eight), /"a" with senseless data_offsets/],
    ['offsets beyond the file', safetensorsBytes({ a: float32(0, 80) }, eight), /"a" that ends at byte .* truncated/],
    ['fewer bytes than the shape has', safetensorsBytes({ a: float32(0, 8, [3]) }, eight), /"a" of 8 bytes; .* has 12/],
    [
      'overlapping tensors',
      safetensorsBytes({ a: float32(0, 8), b: float32(4, 8) }, eight),
      /"b" that overlaps the tensor before it/,
    ],
    ['a gap between tensors', safetensorsBytes({ b: float32(4, 8) }, eight), /"b" that leaves a gap/],
    ['bytes behind the last tensor', safetensorsBytes({ a: float32(0, 4) }, eight), /its header describes/],
  ])('refuses %s, naming the file', (_, bytes, message) => {
    expectRefusal(() => open(bytes), 'model-corrupt', message, file);
  });

  it('refuses a file that is missing and a folder', () => {
    const folder = modelFolder({});
    expectRefusal(() => SafetensorsFile.open(path.join(folder, file), damagedModel), 'model-corrupt', 'is missing');
    expectRefusal(() => SafetensorsFile.open(folder, damagedModel), 'model-corrupt', 'not a regular file');
  });
});

describe('SafetensorsFile.readFloats', () => {
  it('widens every half-precision number exactly', () => {
    const halves = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
    const opened = open(
      safetensorsBytes(
        { a: { dtype: 'F16', shape: [1 << 16], data_offsets: [0, 1 << 17] } },
        new Uint8Array(halves.buffer),
      ),
    );
    const read = opened.readFloats(opened.expect('a', [1 << 16], ['F16']), 0, 1 << 16);
    opened.close();
    const expected = Array.from(halves, (bits) => {
      const sign = bits >> 15 === 0 ? 1 : -1;
      const exponent = (bits >> 10) & 31;
      const fraction = (bits & 1023) / 1024;
      if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
      return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
    });
    expect(Array.from(read)).toEqual(expected);
  });

  it('widens bfloat16 and reads a part of a tensor', () => {
    const bits = Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001);
    const header = { a: { dtype: 'BF16', shape: [2, 2], data_offsets: [0, 8] } };
    const opened = open(safetensorsBytes(header, new Uint8Array(bits.buffer)));
    const entry = opened.expect('a', [2, 2], ['BF16']);
    expect(Array.from(opened.readFloats(entry, 0, 4))).toEqual([1, -2, Infinity, 2 ** -133]);
    expect(Array.from(opened.readFloats(entry, 1, 2))).toEqual([-2, Infinity]);
    expect(() => opened.readFloats(entry, 3, 2)).toThrow(RangeError);
    opened.close();
  });

  it('names the tensor, its shape and its type when another was expected', () => {
    const opened = open(safetensorsBytes({ a: float32(0, 8) }, new Uint8Array(8)));
    expectRefusal(() => opened.expect('b', [2], ['F32']), 'model-corrupt', 'no tensor "b"', '[2]', 'F32');
    expectRefusal(() => opened.expect('a', [3], ['F32']), 'model-corrupt', '"a" of shape [2]', 'of shape [3]');
    expectRefusal(() => opened.expect('a', [2], ['F16']), 'model-corrupt', '"a" of type F32', 'type F16');
    opened.close();
  });
});
