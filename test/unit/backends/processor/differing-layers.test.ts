import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cudaConfig } from '../../../../server/backends/cuda/config.js';
import { DecoderSession, type PassResult } from '../../../../server/backends/processor/decoder-session.js';
import { DecoderState } from '../../../../server/backends/processor/decoder-state.js';
import type { Checkpoint } from '../../../../server/model/checkpoint.js';
import { openCheckpoint } from '../../../../server/model/hub-folder/open-checkpoint.js';
import { ropeTable } from '../../../../server/model/rope-table.js';
import { layerOf, type LayerShape, type Rope } from '../../../../server/model/shape.js';
import { fixture } from '../../model/model-folder.js';

const folder = mkdtempSync(path.join(tmpdir(), 'locret-layers-'));
const checkpoint = openCheckpoint(fixture('qwen3'));
const layer = layerOf(checkpoint.shape, 0);
const plan = { budget: Infinity, chunk: 12, stabilizers: 0, pinned: 0, capacity: 64 };
const tokens = Int32Array.from({ length: 24 }, (_, index) => (index * 37) % checkpoint.shape.vocabulary);

afterAll(() => {
  checkpoint.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The same weights in layers of other shapes. */
function withLayers(layers: readonly LayerShape[]): Checkpoint {
  return {
    place: checkpoint.place,
    shape: { ...checkpoint.shape, layers },
    fingerprint: checkpoint.fingerprint,
    storedBytes: checkpoint.storedBytes,
    encoding: checkpoint.encoding,
    embedding: checkpoint.embedding,
    languageHead: checkpoint.languageHead,
    finalNorm: () => checkpoint.finalNorm(),
    linear: (index, which) => checkpoint.linear(index, which),
    bias: (index, which) => checkpoint.bias(index, which),
    norm: (index, which) => checkpoint.norm(index, which),
    close: () => undefined,
  };
}

/** What the last of some passes gives that read the tokens. */
async function read(layers: readonly LayerShape[], lengths: readonly number[]): Promise<PassResult> {
  const model = withLayers(layers);
  const options = { heads: undefined, precision: 'float32', threads: 1, chunk: plan.chunk } as const;
  const session = await DecoderSession.open({ checkpoint: model, cacheFolder: folder, ...options });
  const state = new DecoderState(session, model.shape, plan, false);
  let last: PassResult | undefined;
  let begin = 0;
  for (const length of lengths) {
    last = await state.pass({
      tokens: tokens.subarray(begin, begin + length),
      logitRows: [length - 1],
      queries: false,
    });
    begin += length;
  }
  await session.dispose();
  if (last === undefined) throw new RangeError('nothing was read');
  return last;
}

/** Keys of a pass that began in slot 0, `[tokens, kvHeads * headDim]`, as they were before they were rotated. */
function unrotated(keys: Float32Array, rope: Rope): Float32Array {
  const { kvHeads, headDim } = checkpoint.shape;
  const { pairs, turnCos, turnSin } = ropeTable(rope, plan.capacity);
  const turned = keys.slice();
  for (let head = 0; head < keys.length / headDim; head++) {
    const slot = Math.floor(head / kvHeads);
    for (let pair = 0; pair < pairs; pair++) {
      const [cos, sin] = [turnCos[slot * pairs + pair] ?? 0, turnSin[slot * pairs + pair] ?? 0];
      const at = head * headDim + pair;
      const [x, y] = [keys[at] ?? 0, keys[at + pairs] ?? 0];
      turned[at] = x * cos + y * sin;
      turned[at + pairs] = y * cos - x * sin;
    }
  }
  return turned;
}

function greatestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((greatest, value, index) => Math.max(greatest, Math.abs(value - (b[index] ?? NaN))), 0);
}

describe('layers that differ', () => {
  it('are rotated each by its own table', async () => {
    const other = { ...layer, rope: { ...layer.rope, theta: 100 } };
    const alike = await read([layer, layer, layer], [12]);
    const mixed = await read([layer, other, layer], [12]);
    expect(mixed.units[0]?.keys).toEqual(alike.units[0]?.keys);
    const [expected = new Float32Array(0), found = new Float32Array(0)] = [alike, mixed].map(
      (pass) => pass.units[1]?.keys,
    );
    expect(greatestDifference(found, expected)).toBeGreaterThan(0.01);
    expect(greatestDifference(unrotated(found, other.rope), unrotated(expected, layer.rope))).toBeLessThan(1e-5);
  });

  it('look back as far as each may, in a chunk and token by token', async () => {
    const near = { ...layer, window: 5 };
    const chunked = await read([near, layer, near], [12, 12]);
    const single = await read([near, layer, near], [12, ...new Array<number>(12).fill(1)]);
    expect(greatestDifference(chunked.logits, single.logits)).toBeLessThan(1e-4);
    for (const layers of [
      [layer, layer, layer],
      [near, near, near],
      [near, layer, layer],
    ]) {
      const others = await read(layers, [12, 12]);
      expect(greatestDifference(chunked.logits, others.logits)).toBeGreaterThan(1e-3);
    }
  });

  it('are refused on a GPU by name', () => {
    const shape = { ...checkpoint.shape, layers: [layer, { ...layer, window: 5 }, layer] };
    const sizes = { shape, plan: { ...plan, budget: 32 }, policy: 'key-difference', heads: undefined } as const;
    expect(() => cudaConfig({ ...sizes, precision: 'float32', cachePrecision: 'full' })).toThrow(
      'A model whose layers differ runs on the processor only.',
    );
  });
});
