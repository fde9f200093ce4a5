import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HeadInput, LabelKind } from '../../../server/contract/words.js';
import { openCheckpoint } from '../../../server/model/hub-folder/open-checkpoint.js';
import { FrozenModel } from '../../../server/training/frozen-model.js';
import { gramsOf, openLabelPass } from '../../../server/training/label-pass.js';
import { labelSample } from '../../../server/training/label-sample.js';
import type { LayerSample } from '../../../server/training/head-optimizer.js';

const folder = fileURLToPath(new URL('../../fixtures/locret', import.meta.url));
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-labels-'));
const checkpoint = openCheckpoint(folder);
const memory = Int32Array.from({ length: 30 }, (_, index) => (index * 37) % 512);
const prompt = [3, 1, 4];
const answer = [...memory.slice(0, 12)];
let grams: readonly Float32Array[] = [];
let model: FrozenModel;

beforeAll(async () => {
  model = await FrozenModel.open(
    { model: folder, precision: 'float32', threads: 1, cacheFolder, headInputs: ['qkv', 'hidden'], capacity: 16 },
    async (opened) => {
      grams = await gramsOf('contribution', opened, 1);
    },
  );
});

afterAll(async () => {
  await model.dispose();
  checkpoint.close();
  rmSync(cacheFolder, { recursive: true, force: true });
});

async function label(
  kind: LabelKind,
  given: readonly number[] | undefined,
  input: HeadInput = 'hidden',
  stopTokens: readonly number[] = [],
): Promise<readonly LayerSample[]> {
  const pass = await openLabelPass(kind, model.shape, grams, 1);
  try {
    return await labelSample(model, pass, { memory, exchanges: [{ prompt, answer: given }] }, { input, stopTokens });
  } finally {
    await pass.dispose();
  }
}

/** The definition, number by number: log of the largest attention · ‖W_o v‖ / ‖h‖ over answer tokens and query heads. */
async function contributionByDefinition(layer: number): Promise<number[]> {
  const { hidden, heads, kvHeads, headDim } = model.shape;
  const output = checkpoint.linear(layer, 'attentionOutput').read();
  const best = new Array<number>(kvHeads * memory.length).fill(-Infinity);
  await model.readText(memory, 'hidden', () => undefined);
  await model.readBehind(async (read) => {
    const pass = await read(Int32Array.from([...prompt, ...answer]));
    for (let row = prompt.length; row < pass.tokens; row++) {
      const seen = memory.length + row + 1;
      const state = pass.headInputs.hidden[layer]?.subarray(row * hidden, (row + 1) * hidden) ?? new Float32Array(0);
      const size = Math.hypot(...state);
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor(head / (heads / kvHeads));
        const units = model.units(layer, kvHead);
        const query = pass.queries[layer]?.subarray((row * heads + head) * headDim, (row * heads + head + 1) * headDim);
        const dot = (unit: number): number =>
          (query ?? new Float32Array(0)).reduce((sum, q, i) => sum + q * (units.keys[unit * headDim + i] ?? 0), 0) /
          Math.sqrt(headDim);
        const exponentials = Array.from({ length: seen }, (_, unit) => Math.exp(dot(unit)));
        const total = exponentials.reduce((sum, one) => sum + one, 0);
        for (let unit = 0; unit < memory.length; unit++) {
          const written = Array.from({ length: hidden }, (_, to) =>
            Array.from(
              { length: headDim },
              (__, i) =>
                (output[to * heads * headDim + head * headDim + i] ?? 0) * (units.values[unit * headDim + i] ?? 0),
            ).reduce((sum, one) => sum + one, 0),
          );
          const score = Math.log((((exponentials[unit] ?? 0) / total) * Math.hypot(...written)) / size);
          const at = kvHead * memory.length + unit;
          best[at] = Math.max(best[at] ?? -Infinity, score);
        }
      }
    }
  });
  return best;
}

describe('labels', () => {
  it.each(['contribution', 'reconstruction'] as const)(
    'by %s are the log of the largest share of the output',
    async (kind) => {
      const samples = await label(kind, answer);
      for (const layer of [0, 1, 2]) {
        const expected = await contributionByDefinition(layer);
        expect(samples[layer]?.labels).toHaveLength(expected.length);
        for (const [index, value] of expected.entries()) expect(samples[layer]?.labels[index]).toBeCloseTo(value, 3);
      }
    },
  );

  it('of answers in several blocks of rows are the largest of all of them', async () => {
    const long = Array.from({ length: 150 }, (_, index) => (index * 13) % 512);
    const whole = await label('published', long);
    const first = await label('published', long.slice(0, 70));
    const atLeast = (whole[1]?.labels ?? new Float32Array(0)).every(
      (value, index) => value >= (first[1]?.labels[index] ?? Infinity),
    );
    expect(atLeast).toBe(true);
    expect(whole[1]?.labels).not.toEqual(first[1]?.labels);
  });

  it('of the same sample are the same again: reading it leaves nothing behind', async () => {
    expect(await label('published', answer)).toEqual(await label('published', answer));
  });

  it("of the model's own answer are those of the same answer given", async () => {
    await model.readText(memory, 'hidden', () => undefined);
    const own: number[] = [];
    await model.readBehind(async (read) => {
      let pass = await read(Int32Array.from(prompt));
      for (let i = 0; i < 64; i++) {
        own.push(pass.logits.indexOf(Math.max(...pass.logits)));
        pass = await read(Int32Array.of(own.at(-1) ?? 0));
      }
    });
    const [given, generated] = [await label('published', own), await label('published', undefined)];
    for (const layer of [0, 1, 2]) {
      for (const [index, value] of (given[layer]?.labels ?? []).entries())
        expect(generated[layer]?.labels[index]).toBeCloseTo(value, 4);
    }
    const stopped = await label('published', undefined, 'hidden', [own[1] ?? -1]);
    expect(stopped[0]?.labels).not.toEqual(generated[0]?.labels);
  });

  it('come with what the heads read: the projections are projected from the hidden states', async () => {
    const [hidden, projected] = [await label('published', answer), await label('published', answer, 'qkv')];
    const weights = checkpoint.linear(1, 'query').read();
    const state = hidden[1]?.input.subarray(5 * 64, 6 * 64) ?? new Float32Array(0);
    const query = Array.from({ length: 64 }, (_, row) =>
      state.reduce((sum, value, column) => sum + value * (weights[row * 64 + column] ?? 0), 0),
    );
    for (const [index, value] of query.entries()) expect(projected[1]?.input[5 * 128 + index]).toBeCloseTo(value, 4);
  });
});
