import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../server/model/checkpoint.js';
import { openGgufCheckpoint } from '../../../server/model/gguf/gguf-checkpoint.js';
import { GgufFile } from '../../../server/model/gguf/gguf-file.js';
import { readGgufShape } from '../../../server/model/gguf/model-shape.js';
import { openCheckpoint } from '../../../server/model/hub-folder/open-checkpoint.js';
import { modelIdentity } from '../../../server/model/model-identity.js';
import { SafetensorsFile } from '../../../server/model/safetensors.js';
import { writeSafetensors } from '../../../server/model/safetensors-writer.js';
import { contentOf, writeContent } from './gguf/gguf-files.js';
import { fixture, modelFolder } from './model-folder.js';

function using<Result>(checkpoint: Checkpoint, use: (checkpoint: Checkpoint) => Result): Result {
  try {
    return use(checkpoint);
  } finally {
    checkpoint.close();
  }
}

const identityOf = (folder: string): string => using(openCheckpoint(folder), modelIdentity);

/** A copy of a fixture in one float32 file, with changed numbers. */
async function copyOf(name: string, change: (tensor: string, numbers: Float32Array) => void): Promise<string> {
  const from = fixture(name);
  const files = Array.from({ length: 3 }, (_, part) => path.join(from, `model-0000${part + 1}-of-00003.safetensors`));
  const folder = modelFolder({}, { from, names: ['config.json'] });
  const tensors = files.flatMap((file) => {
    const opened = SafetensorsFile.open(file, { code: 'model-corrupt', remedy: '' });
    const read = [...opened.tensors.values()].map((entry) => {
      const count = entry.shape.reduce((product, size) => product * size, 1);
      const numbers = opened.readFloats(entry, 0, count);
      change(entry.name, numbers);
      return { name: entry.name, dtype: 'F32' as const, shape: entry.shape, data: () => [numbers] };
    });
    opened.close();
    return read;
  });
  await writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
  return folder;
}

describe('modelIdentity', () => {
  it('is the same in every precision, whatever happened to the matrices', async () => {
    const copy = await copyOf('llama-sharded-bf16', (name, numbers) => {
      if (name.endsWith('proj.weight')) for (const [index, number] of numbers.entries()) numbers[index] = number * 1.01;
    });
    expect(identityOf(copy)).toBe(identityOf(fixture('llama-sharded-bf16')));
  });

  it.each(['llama', 'qwen3', 'phi3', 'mistral-window'])('is the same of %s in a GGUF file', (name) => {
    const file = using(openCheckpoint(fixture(name)), (checkpoint) =>
      GgufFile.open(writeContent(contentOf(checkpoint))),
    );
    expect(using(openGgufCheckpoint(file, readGgufShape(file)), modelIdentity)).toBe(identityOf(fixture(name)));
  });

  it('tells models apart, also by a single norm', async () => {
    const names = ['llama', 'llama-linear', 'mistral', 'qwen2', 'qwen3', 'phi3'];
    expect(new Set(names.map((name) => identityOf(fixture(name)))).size).toBe(names.length);
    const changed = await copyOf('llama-sharded-bf16', (name, numbers) => {
      if (name === 'model.layers.1.post_attention_layernorm.weight') numbers[3] = (numbers[3] ?? 0) + 0.1;
    });
    expect(identityOf(changed)).not.toBe(identityOf(fixture('llama-sharded-bf16')));
  });
});
