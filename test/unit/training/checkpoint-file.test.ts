import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkpointFile,
  discardTraining,
  readCheckpoint,
  readPausedTraining,
  writeCheckpoint,
} from '../../../server/training/checkpoint-file.js';
import type { LayerState } from '../../../server/training/head-optimizer.js';
import { modelFolder, expectRefusal } from '../model/model-folder.js';

const sizes = { first: 6, second: 4 };
const numbers = (count: number, begin: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => begin + index / 8);
const matrix = (count: number, begin: number) => ({
  weight: numbers(count, begin),
  mean: numbers(count, begin + 100),
  square: numbers(count, begin + 200),
});
const layers: LayerState[] = [0, 1].map((layer) => ({ first: matrix(6, layer), second: matrix(4, layer + 10) }));

const course = {
  points: [
    { step: 0, heldOut: { regression: 7.5, overlap: 0.1 } },
    { step: 5, learned: { regression: 3, overlap: 0.2 }, heldOut: { regression: 2.5, overlap: 0.25 } },
  ],
  pending: { steps: 2, regression: 0.1 + 0.2, overlap: 1 / 3 },
};
const checkpoint = { steps: 7, of: 30, layers, course };

async function written(): Promise<string> {
  const file = checkpointFile(path.join(modelFolder({}), 'heads.safetensors'));
  await writeCheckpoint(file, checkpoint, 'this training');
  return file;
}

describe('the checkpoint of a training', () => {
  it('gives back the steps, weights, moments and the course bit by bit', async () => {
    expect(readCheckpoint(await written(), 'this training', 2, sizes)).toEqual(checkpoint);
  });

  it('tells how far the training came, whatever its settings', async () => {
    expect(readPausedTraining(await written())).toEqual({ steps: 7, of: 30, identity: 'this training' });
    expect(readPausedTraining('/nowhere/heads.safetensors.training')).toBeUndefined();
  });

  it('is not there before it is written, nor after the training was given up', async () => {
    const file = await written();
    await discardTraining(file.replace(/\.training$/, ''));
    expect(existsSync(file)).toBe(false);
    expect(readCheckpoint(file, 'this training', 2, sizes)).toBeUndefined();
    await discardTraining('/nowhere/heads.safetensors');
  });

  it('leaves no other file behind, whether it can be written or not', async () => {
    const file = await written();
    const folder = path.dirname(file);
    await expect(writeCheckpoint(folder, checkpoint, 'x')).rejects.toMatchObject({ code: 'disk-full' });
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
    expect((await readdir(path.dirname(folder))).filter((name) => name.includes('partial'))).toEqual([]);
    expect(readCheckpoint(file, 'this training', 2, sizes)?.steps).toBe(7);
  });

  it('of another training is refused', async () => {
    const file = await written();
    expectRefusal(() => readCheckpoint(file, 'another', 2, sizes), 'invalid-argument', file, 'another training');
  });

  it.each([
    ['of another size', { first: 7, second: 4 }, (bytes: Buffer) => bytes],
    ['that was cut', sizes, (bytes: Buffer) => bytes.subarray(0, bytes.length - 9)],
    ['that is something else', sizes, () => Buffer.from('not a checkpoint')],
    [
      'of another form',
      sizes,
      (bytes: Buffer) =>
        Buffer.from(bytes.toString('latin1').replace('locret-training-2', 'locret-training-9'), 'latin1'),
    ],
    [
      'without steps',
      sizes,
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('"steps":"7"', '"steps":"x"'), 'latin1'),
    ],
    [
      'without a course',
      sizes,
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('pending', 'bending'), 'latin1'),
    ],
    [
      'with a number not finite',
      sizes,
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, bytes.length - 4), Buffer.from([0, 0, 0xc0, 0x7f])]),
    ],
  ])('%s is refused', async (_, expected, change) => {
    const file = await written();
    writeFileSync(file, change(readFileSync(file)));
    expectRefusal(() => readCheckpoint(file, 'this training', 2, expected), 'heads-corrupt', file, '');
  });
});
