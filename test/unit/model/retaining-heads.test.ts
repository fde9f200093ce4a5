import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModelShape } from '../../../server/model/hub-folder/config.js';
import {
  headInputKey,
  headLabelsKey,
  headModelKey,
  headTensorName,
  openRetainingHeads,
  readHeadsHeader,
} from '../../../server/model/retaining-heads.js';
import { writeSafetensors, type TensorToWrite } from '../../../server/model/safetensors-writer.js';
import { floatsOf, readTensors } from '../../conformance/read-tensors.js';
import { expectRefusal, modelFolder } from './model-folder.js';

const reference = fileURLToPath(new URL('../../fixtures/locret', import.meta.url));
const shape = readModelShape(reference);
const stored = readTensors(path.join(reference, 'heads.safetensors'));

/** The reference's heads with some tensors replaced; undefined leaves one out. */
async function headsFile(
  changes: Readonly<Record<string, TensorToWrite | undefined>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const tensors = new Map<string, TensorToWrite>();
  for (const [name, tensor] of stored) {
    tensors.set(name, { name, dtype: 'F32', shape: tensor.shape, data: () => [tensor.values] });
  }
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  const file = path.join(modelFolder({}), 'heads.safetensors');
  await writeSafetensors(file, [...tensors.values()], metadata);
  return file;
}

function zeros(name: string, ...size: readonly number[]): TensorToWrite {
  const count = size.reduce((product, axis) => product * axis, 1);
  return { name, dtype: 'F32', shape: size, data: () => [new Float32Array(count)] };
}

describe('openRetainingHeads', () => {
  it('reads the heads of every layer', () => {
    const heads = openRetainingHeads(path.join(reference, 'heads.safetensors'), shape);
    expect(heads.width).toBe(32);
    for (const layer of [0, 1, 2]) {
      const name = `model.layers.${layer}.self_attn`;
      expect(heads.first(layer)).toEqual(floatsOf(stored, `${name}.fc1.weight`));
      expect(heads.second(layer)).toEqual(floatsOf(stored, `${name}.fc2.weight`));
    }
    expect(() => heads.first(3)).toThrow(RangeError);
  });

  it('has a fingerprint that changes with a single weight', async () => {
    const name = 'model.layers.2.self_attn.fc2.weight';
    const other = await headsFile({ [name]: zeros(name, 2, 32) });
    const fingerprints = [path.join(reference, 'heads.safetensors'), other].map(
      (file) => openRetainingHeads(file, shape).fingerprint,
    );
    expect(new Set(fingerprints).size).toBe(2);
  });

  const second = 'model.layers.1.self_attn.fc2.weight';
  const first = 'model.layers.1.self_attn.fc1.weight';
  it.each<readonly [string, Readonly<Record<string, TensorToWrite | undefined>>, string]>([
    ['of a model with more KV heads', { [second]: zeros(second, 4, 32) }, `"${second}" of shape [4, 32]`],
    ['of another width in one layer', { [first]: zeros(first, 16, 128) }, `"${first}" of shape [16, 128]`],
    ['that lack a layer', { [second]: undefined }, `no tensor "${second}"`],
    [
      'of a model with more layers',
      { 'model.layers.3.self_attn.fc1.weight': zeros('model.layers.3.self_attn.fc1.weight', 32, 128) },
      'heads of a layer 3',
    ],
    [
      'with a number that is none',
      { [second]: { ...zeros(second, 2, 32), data: () => [new Float32Array(64).fill(NaN)] } },
      `"${second}" with a number not finite`,
    ],
  ])('refuses heads %s, naming the file and the tensor', async (_, changes, message) => {
    const file = await headsFile(changes);
    expectRefusal(() => openRetainingHeads(file, shape), 'heads-corrupt', 'heads.safetensors', message);
  });

  it('expects heads on hidden states where the file says so, and gives them another identity', async () => {
    const narrow = Object.fromEntries(
      [0, 1, 2].map((layer) => {
        const name = headTensorName(layer, 'fc1');
        return [name, zeros(name, 32, 64)];
      }),
    );
    const heads = openRetainingHeads(await headsFile(narrow, { [headInputKey]: 'hidden' }), shape);
    expect(heads).toMatchObject({ input: 'hidden', width: 32 });
    expect(heads.first(2)).toHaveLength(32 * 64);
    const unnamed = await headsFile(narrow);
    expectRefusal(() => openRetainingHeads(unnamed, shape), 'heads-corrupt', 'of shape [32, 64]');
    const wide = await headsFile({}, { [headInputKey]: 'qkv' });
    expect(openRetainingHeads(wide, shape).fingerprint).toBe(
      openRetainingHeads(path.join(reference, 'heads.safetensors'), shape).fingerprint,
    );
  });

  it('refuses heads that read something unknown', async () => {
    const file = await headsFile({}, { [headInputKey]: 'keys' });
    expectRefusal(
      () => openRetainingHeads(file, shape),
      'heads-corrupt',
      'heads read "keys"; expected "qkv" or "hidden"',
    );
  });

  it('refuses heads in a PyTorch file, and says how they are converted', () => {
    const folder = modelFolder({ 'pytorch_model.bin': Buffer.from('PK\x03\x04 and so on') });
    const opening = (): unknown => openRetainingHeads(path.join(folder, 'pytorch_model.bin'), shape);
    expectRefusal(opening, 'heads-corrupt', 'pytorch_model.bin is a PyTorch file, not a safetensors file');
    const remedy = 'Convert it with training/release/convert_heads.py, and use the safetensors file that it writes.';
    expect(opening).toThrow(expect.objectContaining({ remedy }));
  });

  it('refuses heads that are not there', () => {
    const file = path.join(modelFolder({}), 'heads.safetensors');
    expectRefusal(() => openRetainingHeads(file, shape), 'heads-corrupt', 'is missing');
  });
});

describe('readHeadsHeader', () => {
  it('tells what the heads read, how wide they are, how they were trained and for which model', async () => {
    const file = await headsFile({}, { [headLabelsKey]: 'contribution', [headModelKey]: 'abc' });
    expect(readHeadsHeader(file, shape)).toEqual({ input: 'qkv', width: 32, labels: 'contribution', model: 'abc' });
    expect(readHeadsHeader(await headsFile({}), shape)).toHaveProperty('labels', undefined);
  });

  it('reads no numbers', async () => {
    const second = 'model.layers.1.self_attn.fc2.weight';
    const numbers = { ...zeros(second, 2, 32), data: () => [new Float32Array(64).fill(NaN)] };
    const file = await headsFile({ [second]: numbers });
    expect(readHeadsHeader(file, shape).width).toBe(32);
    expectRefusal(() => openRetainingHeads(file, shape), 'heads-corrupt', 'not finite');
  });

  it('refuses heads that do not fit the model, as reading them does', async () => {
    const second = 'model.layers.1.self_attn.fc2.weight';
    const file = await headsFile({ [second]: zeros(second, 4, 32) });
    expectRefusal(() => readHeadsHeader(file, shape), 'heads-corrupt', `"${second}" of shape [4, 32]`);
  });
});
