import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { encodingName, encodingNamed, encodingNames, encodingOfType } from '../../../../server/model/gguf/encoding.js';
import { GgufFile } from '../../../../server/model/gguf/gguf-file.js';
import { floatsOf, readTensors } from '../../../conformance/read-tensors.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../fixtures/gguf/${name}`, import.meta.url));

describe('decoding', () => {
  const file = GgufFile.open(fixture('encodings.gguf'));
  const reference = readTensors(fixture('encodings.reference.safetensors'));
  const bits = (numbers: Float32Array): Uint32Array =>
    new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);

  afterAll(() => {
    file.close();
  });

  it.each(encodingNames)('gives the reference dequantization of %s bit for bit', (name) => {
    const tensor = file.expect(name, [4, 512]);
    expect(tensor.encoding.name).toBe(name);
    expect(bits(file.readFloats(tensor, 0, 4 * 512))).toEqual(bits(floatsOf(reference, name)));
  });

  it.each(encodingNames)('reads rows of %s from within a tensor', (name) => {
    const rows = file.readFloats(file.expect(name, [4, 512]), 512, 2 * 512);
    expect(bits(rows)).toEqual(bits(floatsOf(reference, name).subarray(512, 3 * 512)));
  });

  it.each(encodingNames)('takes bytes of %s at an odd place', (name) => {
    const tensor = file.expect(name, [4, 512]);
    const stored = file.readBytes(tensor, 0, tensor.end - tensor.begin);
    const shifted = new Uint8Array(stored.length + 1);
    shifted.set(stored, 1);
    const numbers = new Float32Array(4 * 512);
    tensor.encoding.decode(shifted.subarray(1), numbers);
    expect(bits(numbers)).toEqual(bits(floatsOf(reference, name)));
  });

  it('refuses bytes that are not as many blocks as numbers are wanted', () => {
    const { encoding } = encodingNamed('Q4_K') ?? {};
    expect(() => encoding?.decode(new Uint8Array(143), new Float32Array(256))).toThrow('143 bytes');
    expect(() => encoding?.decode(new Uint8Array(144), new Float32Array(255))).toThrow('255 numbers of Q4_K');
  });
});

describe('the names of encodings', () => {
  it('tell those that are not read from those that do not exist', () => {
    expect(encodingOfType(12)?.name).toBe('Q4_K');
    expect(encodingOfType(16)).toBeUndefined();
    expect(encodingName(16)).toBe('IQ2_XXS');
    expect(encodingName(12)).toBe('Q4_K');
    expect(encodingName(99)).toBeUndefined();
    expect(encodingNamed('IQ2_XXS')).toBeUndefined();
  });
});
