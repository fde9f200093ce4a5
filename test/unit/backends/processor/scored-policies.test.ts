import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { registerRivals } from '../../../../research/policies/register.js';
import { foreseeingRivals } from '../../../../research/policies/rivals.js';
import { evictionPolicy, type Patch } from '../../../../research/policies/score-units.js';
import type { CachePlan, Engine } from '../../../../server/engine/engine.js';
import { createProcessorEngine } from '../../../../server/backends/processor/engine.js';
import { policyNames } from '../../../../server/eviction/policy-by-name.js';
import type { PolicyName } from '../../../../server/eviction/policy.js';
import { greedy, oneByOne, wholeCache } from './small-engine.js';

registerRivals();
const model = fileURLToPath(new URL('../../../fixtures/locret', import.meta.url));
const heads = path.join(model, 'heads.safetensors');
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-engine-'));
const plan: CachePlan = { budget: 48, chunk: 32, stabilizers: 8, pinned: 4, capacity: 128 };
const open: Engine[] = [];

const foreseeingNames = foreseeingRivals.map(({ name }) => name);

async function openEngine(policy: PolicyName, shown: readonly Patch[] = patches): Promise<Engine> {
  const options = { model, heads, policy, precision: 'float32', threads: 1, cacheFolder, plan } as const;
  const rival = foreseeingRivals.find(({ name }) => name === policy);
  const engine = await createProcessorEngine(options, rival && evictionPolicy(rival, () => shown));
  open.push(engine);
  return engine;
}

const someTokens = (count: number, seed = 7): number[] =>
  Array.from({ length: count }, (_, i) => (i * i * 31 + i * seed + 11) % 512);

const patches = [
  { tokens: someTokens(9, 3), observe: 4 },
  { tokens: someTokens(5, 2), observe: 5 },
];

afterEach(async () => {
  for (const engine of open.splice(0)) await engine.dispose();
});

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

describe.each([...policyNames, ...foreseeingNames])('the policy %s in the engine', (policy) => {
  it('keeps the budget, the pinned units and, between chunks, the newest ones', async () => {
    const engine = await openEngine(policy);
    await engine.extend(someTokens(160), { evict: 'between-chunks' });
    expect((await engine.stats()).length).toBe(48);
    for (const { tokenIndices } of await wholeCache(engine)) {
      for (let begin = 0; begin < tokenIndices.length; begin += 48) {
        const head = [...tokenIndices.subarray(begin, begin + 48)];
        expect(head.slice(0, 4)).toEqual([0, 1, 2, 3]);
        expect(head.slice(-8)).toEqual([152, 153, 154, 155, 156, 157, 158, 159]);
        expect(head).toEqual([...new Set(head)].sort((a, b) => a - b));
      }
    }
  });

  it('gives the same cache in every run, whatever the calls, and after a restore between chunks', async () => {
    const tokens = someTokens(192);
    const whole = await openEngine(policy);
    await whole.extend(tokens, { evict: 'final' });
    const inParts = await openEngine(policy);
    await inParts.extend(tokens.slice(0, 96), { evict: 'between-chunks' });
    const restored = await openEngine(policy);
    await restored.importLayers(oneByOne(await wholeCache(inParts)), 96);
    for (const engine of [inParts, restored]) {
      await engine.extend(tokens.slice(96), { evict: 'final' });
      expect(await wholeCache(engine)).toEqual(await wholeCache(whole));
    }
  });

  it('is left as it was by a question', async () => {
    const engine = await openEngine(policy);
    await engine.extend(someTokens(100), { evict: 'final' });
    const before = await wholeCache(engine);
    const mark = await engine.mark();
    await engine.extend(someTokens(12, 5), { evict: 'none', logits: 'last' });
    await engine.generate({ maxTokens: 4, sampling: greedy, stopTokens: [] });
    await engine.rewind(mark);
    expect(await wholeCache(engine)).toEqual(before);
  });
});

describe('patches', () => {
  it('leave no trace but the scores: the same units, logits and next token index', async () => {
    const tokens = someTokens(40);
    const patched = await openEngine('oracle');
    const plain = await openEngine('sink-recent');
    const withPatches = await patched.extend(tokens, { evict: 'between-chunks', logits: 'last' });
    const without = await plain.extend(tokens, { evict: 'between-chunks', logits: 'last' });
    expect(withPatches.logits).toEqual(without.logits);
    expect((await patched.stats()).nextTokenIndex).toBe(40);
    const one = await patched.exportLayer(1);
    const other = await plain.exportLayer(1);
    expect({ keys: one.keys, indices: one.tokenIndices }).toEqual({ keys: other.keys, indices: other.tokenIndices });
    const mark = await patched.mark();
    const next = await patched.generate({ maxTokens: 3, sampling: greedy, stopTokens: [] });
    await patched.rewind(mark);
    const plainNext = await plain.generate({ maxTokens: 3, sampling: greedy, stopTokens: [] });
    expect(next.tokens).toEqual(plainNext.tokens);
  });

  it('are wanted by policies that look at them, unless nothing is evicted', async () => {
    const tokens = someTokens(10);
    for (const wrong of [[], [{ tokens: [], observe: 1 }], [{ tokens: [1], observe: 0 }]]) {
      const foreseeing = await openEngine('oracle', wrong);
      await expect(foreseeing.extend(tokens, { evict: 'final' })).rejects.toThrow(
        `scores units by patches, and got ${wrong.length}`,
      );
      await foreseeing.extend(tokens, { evict: 'none' });
    }
  });
});

describe('token-entropy in the engine', () => {
  it('scores a token by the log-probability that the model gave it', async () => {
    const tokens = someTokens(20);
    const engine = await openEngine('token-entropy');
    const { logits } = await engine.extend(tokens, { evict: 'between-chunks', logits: 'all' });
    const { scores } = await engine.exportLayer(0);
    const row = [...logits.subarray(6 * 512, 7 * 512)];
    const sum = row.reduce((total, logit) => total + Math.exp(logit), 0);
    expect(scores[7]).toBeCloseTo(Math.log(sum) - (row[tokens[7] ?? 0] ?? NaN), 4);
  });
});
