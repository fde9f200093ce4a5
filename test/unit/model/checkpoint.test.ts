import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../server/model/checkpoint.js';
import { openCheckpoint } from '../../../server/model/hub-folder/open-checkpoint.js';
import { expectRefusal, fixture, modelFolder, safetensorsBytes, type JsonObject } from './model-folder.js';

const index = 'model.safetensors.index.json';
const single = 'model.safetensors';
const sharded = fixture('llama-sharded-bf16');
const shards = readdirSync(sharded).filter((name) => /^model-.*\.safetensors$/.test(name));

interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Header and data of a safetensors file, read apart from the product's own reader. */
function readRaw(file: string): { readonly header: Record<string, StoredTensor>; readonly data: Uint8Array } {
  const bytes = readFileSync(file);
  const begin = 8 + Number(bytes.readBigUInt64LE());
  const parse: (text: string) => Record<string, StoredTensor> = JSON.parse;
  const header = parse(bytes.toString('utf8', 8, begin));
  delete header['__metadata__'];
  return { header, data: bytes.subarray(begin) };
}

/** Numbers of a stored tensor as float32. */
function storedNumbers(file: string, tensor: string): number[] {
  const { header, data } = readRaw(file);
  const entry = header[tensor];
  if (entry === undefined) throw new Error(`no tensor ${tensor}`);
  const [begin, end] = entry.data_offsets;
  const view = new DataView(data.buffer, data.byteOffset + begin, end - begin);
  const widened = new DataView(new ArrayBuffer(4));
  return Array.from({ length: entry.shape.reduce((a, b) => a * b, 1) }, (_, i) => {
    if (entry.dtype === 'F32') return view.getFloat32(4 * i, true);
    widened.setUint32(0, view.getUint16(2 * i, true) << 16);
    return widened.getFloat32(0);
  });
}

/** A folder of the fixture `llama` whose weights have a changed header. */
function withHeader(change: (header: Record<string, StoredTensor>) => object): string {
  const { header, data } = readRaw(path.join(fixture('llama'), single));
  return modelFolder(
    { [single]: safetensorsBytes(change(header), data) },
    { from: fixture('llama'), names: ['config.json'] },
  );
}

function use<T>(folder: string, read: (checkpoint: Checkpoint) => T): T {
  const checkpoint = openCheckpoint(folder);
  try {
    return read(checkpoint);
  } finally {
    checkpoint.close();
  }
}

describe('openCheckpoint', () => {
  it('reads the stored bfloat16 numbers of every shard', () => {
    const parse: (text: string) => { readonly weight_map: Readonly<Record<string, string>> } = JSON.parse;
    const { weight_map: map } = parse(readFileSync(path.join(sharded, index), 'utf8'));
    const stored = (name: string): number[] => storedNumbers(path.join(sharded, map[name] ?? ''), name);
    use(sharded, (checkpoint) => {
      expect(checkpoint.encoding.name).toBe('BF16');
      expect(checkpoint.storedBytes).toBe(bytesOfShards());
      expect(Array.from(checkpoint.embedding.read())).toEqual(stored('model.embed_tokens.weight'));
      expect(Array.from(checkpoint.languageHead.read())).toEqual(stored('lm_head.weight'));
      expect(Array.from(checkpoint.finalNorm())).toEqual(stored('model.norm.weight'));
      for (const layer of [0, 1, 2]) {
        const prefix = `model.layers.${layer}`;
        const read = (which: Parameters<Checkpoint['linear']>[1]): number[] =>
          Array.from(checkpoint.linear(layer, which).read());
        expect(read('key')).toEqual(stored(`${prefix}.self_attn.k_proj.weight`));
        expect(read('attentionOutput')).toEqual(stored(`${prefix}.self_attn.o_proj.weight`));
        expect(read('down')).toEqual(stored(`${prefix}.mlp.down_proj.weight`));
        expect(Array.from(checkpoint.norm(layer, 'beforeFeedForward'))).toEqual(
          stored(`${prefix}.post_attention_layernorm.weight`),
        );
      }
    });
  });

  it('takes the fused projections of phi3 apart', () => {
    const file = path.join(fixture('phi3'), single);
    const fused = storedNumbers(file, 'model.layers.1.self_attn.qkv_proj.weight');
    const gateUp = storedNumbers(file, 'model.layers.1.mlp.gate_up_proj.weight');
    use(fixture('phi3'), (checkpoint) => {
      const parts = (['query', 'key', 'value'] as const).map((which) => checkpoint.linear(1, which));
      expect(parts.map(({ rows, columns }) => [rows, columns])).toEqual([
        [64, 64],
        [32, 64],
        [32, 64],
      ]);
      expect(parts.flatMap((part) => Array.from(part.read()))).toEqual(fused);
      const halves = (['gate', 'up'] as const).map((which) => checkpoint.linear(1, which));
      expect(halves.flatMap((part) => Array.from(part.read()))).toEqual(gateUp);
    });
  });

  it('gives biases and tied embeddings where the family has them', () => {
    use(fixture('qwen2'), (checkpoint) => {
      expect(checkpoint.bias(0, 'query')).toHaveLength(64);
      expect(checkpoint.bias(0, 'attentionOutput')).toBeUndefined();
      expect(checkpoint.languageHead).toBe(checkpoint.embedding);
      expect(() => checkpoint.norm(0, 'queryHead')).toThrow(RangeError);
    });
    use(fixture('qwen3'), (checkpoint) => {
      expect(checkpoint.norm(2, 'queryHead')).toHaveLength(32);
    });
    use(fixture('llama-linear'), (checkpoint) => {
      expect(checkpoint.bias(0, 'down')).toHaveLength(32);
    });
  });

  it('has a fingerprint that changes with the weights', () => {
    const other = withHeader((header) => ({ ...header, __metadata__: { note: 'another' } }));
    const fingerprints = [fixture('llama'), other].map((folder) => use(folder, ({ fingerprint }) => fingerprint));
    expect(new Set(fingerprints).size).toBe(2);
  });

  it('refuses a folder without weights', () => {
    const folder = modelFolder({}, { from: sharded, names: ['config.json'] });
    expectRefusal(() => openCheckpoint(folder), 'model-not-found', single, index);
  });

  it('names the file, the tensor and the expected shape of a missing tensor', () => {
    const name = 'model.layers.1.mlp.up_proj.weight';
    const folder = withHeader((header) => {
      const { [name]: tensor, ...others } = header;
      return { ...others, 'something.else': tensor };
    });
    expectRefusal(() => openCheckpoint(folder), 'model-corrupt', single, `no tensor "${name}"`, '[96, 64]');
  });

  it('names the file, the tensor and the expected shape of a tensor of another shape', () => {
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const folder = withHeader((header) => ({ ...header, [name]: { ...header[name], shape: [32, 128] } }));
    expectRefusal(() => openCheckpoint(folder), 'model-corrupt', single, `"${name}" of shape [32, 128]`, '[64, 64]');
  });

  it('refuses weights of a type that is not supported', () => {
    const name = 'model.norm.weight';
    const folder = withHeader((header) => ({ ...header, [name]: { ...header[name], dtype: 'I32' } }));
    expectRefusal(() => openCheckpoint(folder), 'model-corrupt', `"${name}" of type I32`, 'F32 or F16 or BF16');
  });

  it('refuses a truncated shard, naming it', () => {
    const folder = modelFolder({}, { from: sharded, names: ['config.json', index, ...shards] });
    const last = shards.at(-1) ?? '';
    truncateSync(path.join(folder, last), 50_000);
    expectRefusal(() => openCheckpoint(folder), 'model-corrupt', last, 'truncated');
  });

  it('refuses a shard that is missing, naming it', () => {
    const folder = modelFolder({}, { from: sharded, names: ['config.json', index, ...shards.slice(1)] });
    expectRefusal(() => openCheckpoint(folder), 'model-corrupt', shards[0] ?? '', 'is missing');
  });

  it.each(['../model.safetensors', '/etc/model.safetensors', '..\\model.safetensors', 'C:model.safetensors', 'a.bin'])(
    'refuses an index that points to %s',
    (target) => {
      const folder = withIndex({ 'model.norm.weight': target });
      expectRefusal(
        () => openCheckpoint(folder),
        'model-corrupt',
        index,
        '"model.norm.weight"',
        JSON.stringify(target),
      );
    },
  );

  it('refuses an index that leaves a tensor out or has no map', () => {
    expectRefusal(
      () => openCheckpoint(withIndex({ 'model.norm.weight': shards[0] ?? '' })),
      'model-corrupt',
      index,
      '"model.embed_tokens.weight"',
    );
    const folder = modelFolder({ [index]: { weight_map: [] } }, { from: sharded, names: ['config.json'] });
    expectRefusal(() => openCheckpoint(folder), 'model-corrupt', index, '"weight_map" must be an object');
  });
});

function withIndex(map: JsonObject): string {
  return modelFolder({ [index]: { weight_map: map } }, { from: sharded, names: ['config.json', ...shards] });
}

function bytesOfShards(): number {
  return shards.reduce((sum, shard) => sum + readRaw(path.join(sharded, shard)).data.length, 0);
}
