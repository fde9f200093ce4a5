import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Trace } from '../../server/trace/trace.js';
import { readTrace, readTraceTensors, runTrace, type TraceRun, writeTokens } from './run-trace.js';

const model = fileURLToPath(new URL('../fixtures/locret', import.meta.url));
const heads = path.join(model, 'heads.safetensors');
const folder = mkdtempSync(path.join(tmpdir(), 'locret-trace-inputs-'));
const out = path.join(folder, 'out with spaces ü');
const prompt = (count: number): string =>
  writeTokens(
    folder,
    Array.from({ length: count }, (_, i) => (i * 37) % 512),
  );

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function trace(tokens: string, ...argv: string[]): TraceRun {
  return runTrace(folder, '--model', model, '--tokens', tokens, '--out', out, ...argv);
}

function traced(tokens: string, ...argv: string[]): Trace {
  expect(trace(tokens, ...argv)).toMatchObject({ status: 0 });
  return readTrace(out);
}

describe('locret trace', () => {
  it('reads a prompt that is not longer than its local part without a chunk', () => {
    const { chunks, tail, generated_ids } = traced(
      prompt(5),
      ...['--heads', heads, '--budget', '8', '--chunk', '4', '--local', '20', '--generate', '3'],
    );
    expect(chunks).toEqual([]);
    expect(tail).toMatchObject({ begin: 0, end: 5, cache_len_after: [5, 5, 5] });
    expect(tail.scores[0]?.[1]).toHaveLength(5);
    expect(generated_ids).toHaveLength(3);
  });

  it('reads everything in chunks when nothing is local', () => {
    const { chunks, tail, last_prompt_logits } = traced(
      prompt(40),
      ...['--heads', heads, '--budget', '8', '--chunk', '16', '--local', '0'],
    );
    expect(chunks.map(({ end }) => end)).toEqual([16, 32, 40]);
    expect(tail).toEqual({
      begin: 40,
      end: 40,
      scores: [
        [[], []],
        [[], []],
        [[], []],
      ],
      cache_len_after: [8, 8, 8],
    });
    expect(last_prompt_logits).toHaveLength(512);
  });

  it('protects nothing with 0 stabilizers', () => {
    const { chunks } = traced(prompt(40), '--heads', heads, '--budget', '8', '--chunk', '16', '--stabilizers', '0');
    for (const layer of chunks.flatMap((chunk) => chunk.layers)) {
      expect(layer.protected_positions).toEqual([[], []]);
    }
    const newest = chunks.flatMap((chunk) => chunk.layers.flatMap((l) => l.kept_positions.map((kept) => kept.at(-1))));
    expect(newest).not.toEqual(chunks.flatMap(({ end }) => Array.from({ length: 6 }, () => end - 1)));
  });

  it('keeps the newest units when all of the budget is stabilizers', () => {
    const { chunks } = traced(prompt(40), '--heads', heads, '--budget', '4', '--chunk', '16', '--stabilizers', '4');
    expect(chunks[0]?.layers[0]?.kept_positions).toEqual([
      [12, 13, 14, 15],
      [12, 13, 14, 15],
    ]);
  });

  it('ranks by a training-free policy without heads, and says that answers will be worse', () => {
    const run = trace(prompt(40), '--budget', '8', '--chunk', '16');
    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(/Answers will be worse/);
    const { chunks, meta } = readTrace(out);
    expect(meta.algorithm).toBe('key-difference (compact positions)');
    expect(chunks[0]?.layers[0]?.chunk_scores).toEqual([[], []]);
    expect(chunks[0]?.layers[0]?.kept_scores[0]).toHaveLength(8);
    expect(
      traced(prompt(40), '--budget', '8', '--chunk', '16', '--policy', 'sink-recent').chunks[0]?.layers[0],
    ).toMatchObject({
      kept_positions: [
        [0, 1, 2, 3, 12, 13, 14, 15],
        [0, 1, 2, 3, 12, 13, 14, 15],
      ],
    });
  });

  it('writes the logits of the last token only, unless asked for all', () => {
    traced(prompt(9), '--generate', '2');
    const tensors = readTraceTensors(out);
    expect(tensors.get('logits')?.shape).toEqual([1, 512]);
    expect(tensors.get('generated_ids')?.shape).toEqual([2]);
  });

  it.each([
    [
      'more stabilizers than the budget',
      prompt(40),
      ['--heads', heads, '--budget', '4', '--stabilizers', '5'],
      /5 stabilizers do not fit in a budget of 4/,
    ],
    [
      'policy locret without heads',
      prompt(40),
      ['--budget', '4', '--policy', 'locret'],
      /"locret" needs retaining heads/,
    ],
    ['an empty prompt', prompt(0), [], /no tokens/],
    ['tokens of another model', writeTokens(folder, [1, 2, 512]), [], /Token 2 of the prompt is 512/],
    ['a missing file of tokens', path.join(folder, 'absent.json'), [], /there is no such file/],
    ['a model that is not there', prompt(4), ['--model', path.join(folder, 'absent')], /absent/],
  ])('ends with a clear message for %s', (_, tokens, argv, message) => {
    const run = trace(tokens, ...argv);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/unexpected error|\n {4}at /);
  });

  it.each(['[1, 2', '{"ids": [1]}', '[1, "2"]', '[1.5]', '[-1]', '[null]'])('refuses %s as tokens', (text) => {
    const file = path.join(folder, 'bad.json');
    writeFileSync(file, text);
    const run = trace(file);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/bad\.json/);
    expect(run.stderr).toMatch(/one JSON array of token ids/);
  });
});
