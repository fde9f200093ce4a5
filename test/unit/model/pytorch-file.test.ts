import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModelShape } from '../../../server/model/hub-folder/config.js';
import { headTensorName, openRetainingHeads } from '../../../server/model/retaining-heads.js';
import { floatsOf, readTensors } from '../../conformance/read-tensors.js';

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url));
const shape = readModelShape(path.join(fixtures, 'locret'));
const stored = readTensors(path.join(fixtures, 'locret/heads.safetensors'));

describe('retaining heads in a PyTorch file', () => {
  it('are those of the safetensors file, from an archive with 64-bit sizes too', () => {
    const heads = openRetainingHeads(path.join(fixtures, 'pytorch/heads.bin'), shape);
    expect(heads.input).toBe('qkv');
    expect(heads.width).toBe(32);
    for (const layer of [0, 1, 2]) {
      expect(heads.first(layer)).toEqual(floatsOf(stored, headTensorName(layer, 'fc1')));
      expect(heads.second(layer)).toEqual(floatsOf(stored, headTensorName(layer, 'fc2')));
    }
  });

  it('have the identity of the same heads in a safetensors file', () => {
    const [bin, safe] = ['pytorch/heads.bin', 'locret/heads.safetensors'].map(
      (file) => openRetainingHeads(path.join(fixtures, file), shape).fingerprint,
    );
    expect(bin).toBe(safe);
  });

  it('are widened from bfloat16', () => {
    const heads = openRetainingHeads(path.join(fixtures, 'pytorch/bfloat16.bin'), shape);
    const bits = new Uint32Array(floatsOf(stored, headTensorName(1, 'fc1')).slice().buffer);
    const expected = new Float32Array(bits.map((word) => word & 0xffff0000).buffer);
    expect(heads.first(1)).toEqual(expected);
  });
});
