import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trace } from '../../server/trace/trace.js';
import { hasCuda } from '../cuda-under-test.js';
import { floatsOf, integersOf, largestDifference, readTensors } from './read-tensors.js';
import { readTrace, readTraceTensors, runTrace, writeTokens } from './run-trace.js';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'locret-trace-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const backends = hasCuda ? ['cpu', 'cuda'] : ['cpu'];

describe.each(backends)("the official code's trace, on %s", (backend) => {
  const model = path.join(fixtures, 'locret');
  const parse: (text: string) => Trace = JSON.parse;
  const reference = parse(readFileSync(path.join(model, 'trace.json'), 'utf8'));
  const referenceLogits = readTensors(path.join(model, 'trace_logits.safetensors'));
  const out = path.join(folder, `official-${backend}`);
  let trace: Trace;

  beforeAll(() => {
    const tokens = writeTokens(folder, reference.prompt_ids);
    const heads = path.join(model, 'heads.safetensors');
    const sizes = ['--chunk', '128', '--budget', '96', '--stabilizers', '32', '--local', '20', '--generate', '16'];
    const run = runTrace(
      folder,
      ...['--backend', backend, '--model', model, '--heads', heads, '--tokens', tokens, '--logits', 'all'],
      ...['--out', out, ...sizes],
    );
    expect(run).toMatchObject({ status: 0 });
    trace = readTrace(out);
  });

  it('has the same keys everywhere', () => {
    const keys = (value: unknown): unknown =>
      Array.isArray(value)
        ? typeof value[0] === 'object'
          ? keys(value[0])
          : 'list'
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, keys(item)]))
          : 'value';
    expect(keys(trace)).toEqual(keys(reference));
    const { algorithm, seed, min_eviction_margin, min_greedy_top1_top2_gap, ...sizes } = reference.meta;
    expect(trace.meta).toMatchObject(sizes);
    expect(trace.meta.min_eviction_margin).toBeCloseTo(min_eviction_margin ?? NaN, 4);
    expect(trace.meta.min_greedy_top1_top2_gap).toBeCloseTo(min_greedy_top1_top2_gap ?? NaN, 4);
    expect([typeof algorithm, seed]).toEqual(['string', 33]);
  });

  it('keeps and protects the same units in every chunk, layer and head', () => {
    expect(trace.chunks.map(({ begin, end }) => [begin, end])).toEqual(
      reference.chunks.map(({ begin, end }) => [begin, end]),
    );
    reference.chunks.forEach((chunk, c) => {
      chunk.layers.forEach((layer, l) => {
        const ours = trace.chunks[c]?.layers[l];
        const where = `chunk ${c}, layer ${l}`;
        expect(ours?.cache_len_before_eviction, where).toBe(layer.cache_len_before_eviction);
        expect(ours?.protected_positions, where).toEqual(layer.protected_positions);
        expect(ours?.kept_positions, where).toEqual(layer.kept_positions);
        expect(ours?.kept_compact_indices, where).toEqual(layer.kept_compact_indices);
      });
    });
  });

  it('scores within 1e-5', () => {
    reference.chunks.forEach((chunk, c) => {
      chunk.layers.forEach((layer, l) => {
        for (const name of ['chunk_scores', 'kept_scores'] as const) {
          layer[name].forEach((scores, head) => {
            const ours = trace.chunks[c]?.layers[l]?.[name][head] ?? [];
            expect(largestDifference(ours, scores), `chunk ${c}, layer ${l}, head ${head}`).toBeLessThan(1e-5);
          });
        }
        expect(
          largestDifference(
            (trace.chunks[c]?.layers[l]?.eviction_margin ?? []).map(Number),
            layer.eviction_margin.map(Number),
          ),
        ).toBeLessThan(2e-5);
      });
    });
    reference.tail.scores.forEach((heads, l) => {
      heads.forEach((scores, head) => {
        expect(largestDifference(trace.tail.scores[l]?.[head] ?? [], scores)).toBeLessThan(1e-5);
      });
    });
    expect({ ...trace.tail, scores: [] }).toEqual({ ...reference.tail, scores: [] });
  });

  it('gives the same logits and the same 16 tokens', () => {
    expect(largestDifference(trace.last_prompt_logits, reference.last_prompt_logits)).toBeLessThan(1e-4);
    expect(trace.generated_ids).toEqual(reference.generated_ids);
    expect(largestDifference(trace.greedy_gaps, reference.greedy_gaps)).toBeLessThan(2e-4);
    const tensors = readTraceTensors(out);
    expect(tensors.get('logits')?.shape).toEqual([700, 512]);
    const tail = floatsOf(tensors, 'logits').subarray(680 * 512);
    expect(largestDifference(tail, floatsOf(referenceLogits, 'tail_logits'))).toBeLessThan(1e-4);
    expect(integersOf(tensors, 'generated_ids')).toEqual(integersOf(referenceLogits, 'generated_ids'));
  });
});

describe.each(['llama', 'qwen2', 'phi3', 'llama-sharded-bf16'])('without a budget, %s', (name) => {
  const model = path.join(fixtures, 'hf', name);

  it.each([96, 300])("gives transformers' logits for %d tokens, and its tokens", (count) => {
    const reference = readTensors(path.join(model, 'reference.safetensors'));
    const tokens = writeTokens(folder, integersOf(reference, `input_ids_${count}`));
    const out = path.join(folder, `${name}-${count}`);
    const run = runTrace(
      folder,
      ...['--model', model, '--tokens', tokens, '--logits', 'all', '--generate', '16', '--chunk', '64', '--out', out],
    );
    expect(run).toMatchObject({ status: 0 });
    const tensors = readTraceTensors(out);
    expect(largestDifference(floatsOf(tensors, 'logits'), floatsOf(reference, `logits_${count}`))).toBeLessThan(2e-4);
    if (count === 96) expect(integersOf(tensors, 'generated_ids')).toEqual(integersOf(reference, 'greedy_16'));
    const trace = readTrace(out);
    expect(trace.meta).toMatchObject({ budget_size: null, min_eviction_margin: null });
    expect(trace.chunks.at(-1)?.layers[0]?.kept_positions[0]).toHaveLength(count);
  });
});
