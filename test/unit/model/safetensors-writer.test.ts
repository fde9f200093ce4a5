import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../../server/model/safetensors-writer.js';
import { SafetensorsFile } from '../../../server/model/safetensors.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'locret-safetensors-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('writeSafetensors', () => {
  it('writes what the reader reads, from whole arrays and from pieces', async () => {
    const file = path.join(folder, 'some.safetensors');
    const larger = Float32Array.of(9, 1, 2, 3, 9);
    const pieces = async function* (): AsyncGenerator<Int32Array> {
      yield Int32Array.of(1, 2);
      yield await Promise.resolve(Int32Array.of(-3));
    };
    await writeSafetensors(
      file,
      [
        { name: 'view', dtype: 'F32', shape: [3, 1], data: () => [larger.subarray(1, 4)] },
        { name: 'pieces', dtype: 'I32', shape: [3], data: pieces },
        { name: 'empty', dtype: 'I64', shape: [0], data: () => [] },
        { name: 'größe', dtype: 'I64', shape: [], data: () => [BigInt64Array.of(-7n)] },
      ],
      { made: 'here' },
    );
    const read = SafetensorsFile.open(file, { code: 'snapshot-corrupt', remedy: '' });
    try {
      expect(Array.from(read.readFloats(read.expect('view', [3, 1], ['F32']), 0, 3))).toEqual([1, 2, 3]);
      expect(new Int32Array(read.readBytes(read.expect('pieces', [3], ['I32'])).buffer)).toEqual(
        Int32Array.of(1, 2, -3),
      );
      expect(read.readBytes(read.expect('empty', [0], ['I64']))).toHaveLength(0);
      expect(new BigInt64Array(read.readBytes(read.expect('größe', [], ['I64'])).buffer)).toEqual(
        BigInt64Array.of(-7n),
      );
      expect(read.metadata).toEqual(new Map([['made', 'here']]));
      for (const { begin } of read.tensors.values()) expect(begin % 4).toBe(0);
    } finally {
      read.close();
    }
  });

  it('refuses data that does not fill its shape', async () => {
    const tensor = { name: 'short', dtype: 'F32', shape: [2], data: () => [Float32Array.of(1)] } as const;
    await expect(writeSafetensors(path.join(folder, 'short.safetensors'), [tensor])).rejects.toThrow(
      '"short" has 4 bytes instead of 8',
    );
  });
});
