import { afterAll, describe, expect, it } from 'vitest';
import { AttentionGraph, AttentionObserver } from '../../../../server/backends/processor/attention-mass.js';
import { RetainedCache } from '../../../../server/backends/processor/retained-cache.js';
import { seededRandom } from '../../../../server/engine/random.js';
import type { AttentionMass, CachePlan } from '../../../../server/engine/engine.js';
import { openModelSource } from '../../../../server/model/open-model-source.js';
import { RopeTables } from '../../../../server/model/rope-table.js';
import { fixture } from '../../model/model-folder.js';

const checkpoint = openModelSource(fixture('qwen2')).openWeights();
const { shape } = checkpoint;
const { layers, heads, kvHeads, headDim } = shape;
const plan: CachePlan = { budget: 200, chunk: 100, stabilizers: 0, pinned: 0, capacity: 300 };
const graph = new AttentionGraph(shape, 1);

afterAll(async () => {
  await graph.dispose();
  checkpoint.close();
});

const random = seededRandom(7);
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => 4 * random() - 2);

/** Reads tokens of random keys; returns their random queries. */
function read(cache: RetainedCache, tokens: number, firstTokenIndex: number): Float32Array[] {
  for (const layer of layers.keys()) {
    const units = { keys: numbers(tokens * kvHeads * headDim), values: numbers(tokens * kvHeads * headDim) };
    cache.append(layer, { ...units, scores: undefined }, tokens, firstTokenIndex);
  }
  cache.extendBy(tokens);
  return layers.map(() => numbers(tokens * heads * headDim));
}

/** Attention by definition, token by token. `hidden`: the newest units of every head that a token does not see. */
class Definition {
  private readonly mass = new Map<number, number>();
  private queries = 0;

  add(cache: RetainedCache, queries: readonly Float32Array[], row: number, hidden: number): void {
    this.queries += 1;
    for (const layer of layers.keys()) {
      for (let head = 0; head < heads; head++) {
        const units = cache.head(layer, Math.floor(head / (heads / kvHeads)));
        const begin = (row * heads + head) * headDim;
        const query = queries[layer]?.subarray(begin, begin + headDim) ?? new Float32Array(0);
        const exponentials = Array.from({ length: units.length - hidden }, (_, unit) => {
          const key = units.keys.subarray(unit * headDim, (unit + 1) * headDim);
          return Math.exp(query.reduce((sum, q, i) => sum + q * (key[i] ?? 0), 0) / Math.sqrt(headDim));
        });
        const total = exponentials.reduce((sum, one) => sum + one, 0);
        for (const [unit, one] of exponentials.entries()) {
          const token = units.tokenIndices[unit] ?? -1;
          this.mass.set(token, (this.mass.get(token) ?? 0) + one / total);
        }
      }
    }
  }

  expectIn({ tokenIndices, mass }: AttentionMass): void {
    const expected = [...this.mass].sort(([a], [b]) => a - b);
    expect([...tokenIndices]).toEqual(expected.map(([token]) => token));
    for (const [index, [, sum]] of expected.entries())
      expect(mass[index]).toBeCloseTo(sum / (layers.length * heads * this.queries), 6);
  }
}

describe('observed attention', () => {
  it('of the tokens of a pass is that to the units before each and its own', async () => {
    const cache = new RetainedCache(shape, false, plan);
    read(cache, 30, 0);
    const queries = read(cache, 90, 30);
    const observer = new AttentionObserver(graph, cache, Infinity);
    // More than are multiplied at once.
    await observer.observePass(queries, { begin: 5, end: 90 }, 90);
    const expected = new Definition();
    for (let row = 5; row < 90; row++) expected.add(cache, queries, row, 89 - row);
    expected.expectIn(await observer.mass());
  });

  it('of single tokens is that to the units within its reach, however many follow', async () => {
    const cache = new RetainedCache(shape, false, plan);
    read(cache, 40, 0);
    const observer = new AttentionObserver(graph, cache, 40);
    const expected = new Definition();
    for (let token = 0; token < 70; token++) {
      const queries = read(cache, 1, 40 + token);
      await observer.observeToken(queries);
      expected.add(cache, queries, 0, token + 1);
    }
    expected.expectIn(await observer.mass());
  });

  it('of single tokens without a reach is that to all units before each and its own', async () => {
    const cache = new RetainedCache(shape, false, plan);
    read(cache, 10, 0);
    const observer = new AttentionObserver(graph, cache, Infinity);
    const expected = new Definition();
    for (let token = 0; token < 5; token++) {
      const queries = read(cache, 1, 10 + token);
      await observer.observeToken(queries);
      expected.add(cache, queries, 0, 0);
    }
    expected.expectIn(await observer.mass());
  });

  it('is right where layers are unequally long', async () => {
    const cache = new RetainedCache(shape, false, { ...plan, uneven: { allocation: 'pyramid', longest: 220 } });
    const ropes = new RopeTables(shape, cache.slots);
    read(cache, 60, 0);
    for (const layer of layers.keys()) {
      const length = 10 + 7 * layer;
      const kept = Array.from({ length: kvHeads }, (_, kvHead) =>
        Int32Array.from({ length }, (__, i) => 2 * i + kvHead),
      );
      cache.compact(layer, kept, 40, ropes.of(layer));
    }
    cache.settle(40);
    const reach = cache.length;
    const queries = read(cache, 12, 60);
    const passing = new AttentionObserver(graph, cache, Infinity);
    await passing.observePass(queries, { begin: 0, end: 12 }, 12);
    const expected = new Definition();
    for (let row = 0; row < 12; row++) expected.add(cache, queries, row, 11 - row);
    expected.expectIn(await passing.mass());
    const reaching = new AttentionObserver(graph, cache, reach);
    const within = new Definition();
    const next = read(cache, 1, 72);
    await reaching.observeToken(next);
    within.add(cache, next, 0, 13);
    within.expectIn(await reaching.mass());
  });
});
