import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withEngineParts } from '../../../../server/backends/engine-parts.js';
import { DecoderSession } from '../../../../server/backends/processor/decoder-session.js';
import { DecoderState } from '../../../../server/backends/processor/decoder-state.js';
import { evictUnits, type Evicted } from '../../../../server/backends/processor/evict-units.js';
import type { CachePlan, LayerCache } from '../../../../server/engine/engine.js';
import type { EvictionPolicy } from '../../../../server/eviction/policy.js';
import { policyByName } from '../../../../server/eviction/policy-by-name.js';
import type { Units } from '../../../../server/eviction/units.js';
import type { ModelShape } from '../../../../server/model/shape.js';
import { someTokens } from './small-engine.js';

const model = fileURLToPath(new URL('../../../fixtures/locret', import.meta.url));
const heads = path.join(model, 'heads.safetensors');
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-units-'));
const plan: CachePlan = { budget: 48, chunk: 32, stabilizers: 8, pinned: 4, capacity: 128 };
const locret = policyByName('locret');
/** The oldest units stay. */
const oldest: EvictionPolicy = {
  name: 'oldest',
  needsRetainingHeads: false,
  rank: ({ tokenIndices }) => Float32Array.from(tokenIndices, (token) => -token),
};

let session: DecoderSession;
let shape: ModelShape;

beforeAll(async () => {
  const options = { model, heads, policy: 'locret', precision: 'float32', threads: 1, cacheFolder, plan } as const;
  await withEngineParts(options, locret, async (parts) => {
    shape = parts.checkpoint.shape;
    session = await DecoderSession.open({ ...parts, precision: 'float32', threads: 1, chunk: 32, cacheFolder });
  });
});

afterAll(async () => {
  await session.dispose();
  rmSync(cacheFolder, { recursive: true, force: true });
});

/** A cache that holds the units of these tokens, all of them. */
async function read(tokens: readonly number[]): Promise<DecoderState> {
  const state = new DecoderState(session, shape, plan, true);
  await state.pass({ tokens: Int32Array.from(tokens), logitRows: [0], queries: false });
  return state;
}

function evict({ cache, ropes }: DecoderState, policy: EvictionPolicy, takesOut: boolean): Evicted {
  const exempt = { pinned: plan.pinned, stabilizers: 0 };
  return evictUnits({ cache, shape, policy, ropes, added: 0, exempt, detail: undefined, takesOut });
}

/** What the model says to a question behind the cache, which leaves no trace. */
async function answer(state: DecoderState): Promise<Float32Array> {
  const mark = state.mark();
  const tokens = Int32Array.from(someTokens(9, 3));
  const { logits } = await state.pass({ tokens, logitRows: Array.from(tokens.keys()), queries: false });
  const copied = logits.slice();
  state.rewind(mark);
  return copied;
}

const wholeCache = ({ cache }: DecoderState): LayerCache[] => shape.layers.map((_, layer) => cache.export(layer));

const unitsOf = (units: readonly Units[], layer: number, head: number): Units => {
  const found = units.find((one) => one.layer === layer && one.head === head);
  if (found === undefined) throw new Error(`no units of layer ${layer}, head ${head}`);
  return found;
};

describe('units that are taken out', () => {
  it('put back where they stood give the same cache and the same logits, bit by bit', async () => {
    const state = await read(someTokens(70));
    const before = wholeCache(state);
    const expected = await answer(state);
    const { units } = evict(state, oldest, true);
    expect(state.cache.length).toBe(48);
    expect(await answer(state)).not.toEqual(expected);
    state.cache.takeIn(units, state.ropes);
    expect(wholeCache(state)).toEqual(before);
    expect(await answer(state)).toEqual(expected);
  });

  it('are all that left, with their keys, values and scores as they were', async () => {
    const state = await read(someTokens(70));
    const before = wholeCache(state);
    const { units } = evict(state, locret, true);
    expect(units).toHaveLength(shape.layers.length * shape.kvHeads);
    const { headDim } = shape;
    for (const [layer, all] of before.entries()) {
      for (let head = 0; head < shape.kvHeads; head++) {
        const { positions, slots, keys, values, scores } = unitsOf(units, layer, head);
        const kept = [...state.cache.head(layer, head).tokenIndices];
        expect([...kept, ...positions].sort((a, b) => a - b)).toEqual(Array.from({ length: 70 }, (_, i) => i));
        expect([...slots]).toEqual([...positions]);
        for (const [unit, slot] of slots.entries()) {
          const at = head * 70 + slot;
          const vector = (of: Float32Array, place: number): Float32Array =>
            of.subarray(place * headDim, (place + 1) * headDim);
          expect(vector(keys, unit)).toEqual(vector(all.keys, at));
          expect(vector(values, unit)).toEqual(vector(all.values, at));
          expect(scores[unit]).toBe(all.scores[at]);
        }
      }
    }
  });

  it('are turned to the slots behind the others, as if they had been read there', async () => {
    const tokens = someTokens(70);
    const state = await read(tokens);
    const { units } = evict(state, locret, true);
    state.cache.takeIn(units, state.ropes);
    expect(state.cache.length).toBe(70);
    expect(state.cache.nextSlot).toBe(70);
    for (let head = 0; head < shape.kvHeads; head++) {
      const found = state.cache.head(0, head);
      // Keys of layer 0 depend on the token and its slot alone.
      const fresh = await read(Array.from(found.tokenIndices, (index) => tokens[index] ?? 0));
      const expected = fresh.cache.head(0, head);
      found.keys.forEach((key, i) => {
        expect(Math.abs(key - (expected.keys[i] ?? NaN))).toBeLessThan(1e-5);
      });
      expect(found.values).toEqual(expected.values);
      expect(found.scores).toEqual(expected.scores);
    }
  });

  it('are not copied unless somebody wants them', async () => {
    const wanted = await read(someTokens(70));
    const unwanted = await read(someTokens(70));
    expect(evict(unwanted, locret, false).units).toEqual([]);
    evict(wanted, locret, true);
    expect(wholeCache(unwanted)).toEqual(wholeCache(wanted));
  });

  it('are refused where heads would differ, or without room', async () => {
    const state = await read(someTokens(70));
    const { units } = evict(state, locret, true);
    expect(() => {
      state.cache.takeIn(units.slice(1), state.ropes);
    }).toThrow(RangeError);
    state.cache.takeIn(units, state.ropes);
    state.cache.takeIn(units, state.ropes);
    state.cache.takeIn(units, state.ropes);
    expect(state.cache.length).toBe(48 + 3 * 22);
    expect(() => {
      state.cache.takeIn(units, state.ropes);
    }).toThrow(/22 units behind 114 of 128/);
  });
});
