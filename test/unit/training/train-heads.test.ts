import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createProcessorEngine } from '../../../server/backends/processor/engine.js';
import { openModel } from '../../../server/model/model.js';
import { modelIdentity } from '../../../server/model/model-identity.js';
import { openModelSource } from '../../../server/model/open-model-source.js';
import { headLabels, openRetainingHeads, readHeadsHeader } from '../../../server/model/retaining-heads.js';
import { checkpointFile, readPausedTraining } from '../../../server/training/checkpoint-file.js';
import { FrozenModel } from '../../../server/training/frozen-model.js';
import { evaluateHeads } from '../../../server/training/evaluate-heads.js';
import { trainHeads, type TrainingSettings } from '../../../server/training/train-heads.js';
import { readTrainingRecord } from '../../../server/training/training-record.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const nano = path.join(root, 'models/nano');
const folder = mkdtempSync(path.join(tmpdir(), 'locret-training-'));
const settings: TrainingSettings = {
  model: nano,
  // Its own sources: small, and with enough files that some are held out.
  repositories: [path.join(root, 'server/repository')],
  out: path.join(folder, 'heads.safetensors'),
  input: 'hidden',
  labels: 'published',
  answers: 'source',
  tokens: 160,
  questions: 3,
  seed: 5,
  precision: 'float32',
  threads: 1,
  cacheFolder: folder,
  width: 8,
  steps: 6,
  warmup: 2,
  rate: 1e-3,
  fresh: false,
};
const named = (name: string): TrainingSettings => ({ ...settings, out: path.join(folder, name) });

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Trains until some step is made, and pauses there. */
async function pauseAfter(step: number, of: TrainingSettings): Promise<void> {
  const pause = new AbortController();
  const training = trainHeads(of, {
    signal: pause.signal,
    onProgress: (progress) => {
      if (progress.step === step) pause.abort();
    },
  });
  await expect(training).rejects.toMatchObject({ code: 'cancelled' });
}

describe('trainHeads', () => {
  it('makes the same heads when it was paused, and leaves no checkpoint', async () => {
    const whole = named('whole.safetensors');
    const steps: number[] = [];
    await trainHeads(whole, { onProgress: ({ step }) => steps.push(step) });
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
    const paused = named('paused.safetensors');
    await pauseAfter(2, paused);
    expect(existsSync(paused.out)).toBe(false);
    await pauseAfter(4, paused);
    const begins: number[] = [];
    const { quality } = await trainHeads(paused, { onBegin: ({ step }) => begins.push(step) });
    expect(begins).toEqual([4]);
    expect(readFileSync(paused.out)).toEqual(readFileSync(whole.out));
    expect(existsSync(checkpointFile(paused.out))).toBe(false);
    expect(quality).toMatchObject({ samples: 4 });
    expect(quality.overlaps).toHaveLength(6);
  });

  it('makes the same heads when it was paused while they were measured', async () => {
    const whole = named('measured-whole.safetensors');
    const { course } = await trainHeads(whole);
    // So few steps are not worth a measurement on the way.
    expect(course.map(({ step }) => step)).toEqual([0, 6]);
    const paused = named('measured-paused.safetensors');
    const pause = new AbortController();
    const phases: string[] = [];
    const training = trainHeads(paused, {
      signal: pause.signal,
      onPhase: (phase) => {
        phases.push(phase);
        if (phases.filter((one) => one === 'evaluate').length === 2) pause.abort();
      },
    });
    await expect(training).rejects.toMatchObject({ code: 'cancelled' });
    expect(phases.slice(0, 3)).toEqual(['evaluate', 'label', 'learn']);
    expect(readPausedTraining(checkpointFile(paused.out))).toMatchObject({ steps: 6, of: 6 });
    await trainHeads(paused);
    expect(readFileSync(paused.out)).toEqual(readFileSync(whole.out));
  });

  it('tells in the heads how they were trained', async () => {
    const of = named('record.safetensors');
    const { course, quality } = await trainHeads(of);
    const record = readTrainingRecord(of.out);
    const { input, labels, answers, width, steps, warmup, rate, questions, seed, precision } = settings;
    expect(record).toMatchObject({
      model: 'nano',
      repositories: ['repository'],
      tokens: 160,
      options: { input, labels, answers, width, steps, warmup, rate, questions, seed, precision },
    });
    expect(record?.course).toEqual(course);
    expect(course[0]?.learned).toBeUndefined();
    expect(course.at(-1)?.heldOut.overlap).toBeCloseTo(quality.overlap, 4);
    expect(headLabels(of.out)).toBe('published');
    const weights = openModelSource(nano).openWeights();
    expect(readHeadsHeader(of.out, weights.shape).model).toBe(modelIdentity(weights));
    weights.close();
    expect(readTrainingRecord(path.join(nano, 'retaining_heads.safetensors'))).toBeUndefined();
  });

  it('is refused while another process trains into the same file', async () => {
    const of = named('locked.safetensors');
    const pause = new AbortController();
    let refusal: unknown;
    const first = trainHeads(of, {
      signal: pause.signal,
      onBegin: () => {
        const soon = AbortSignal.timeout(100);
        void trainHeads(of, { signal: soon }).catch((error: unknown) => {
          refusal = error;
          pause.abort();
        });
      },
    });
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect(refusal).toMatchObject({ code: 'cancelled', message: /Waiting for another process/ });
    expect(existsSync(`${checkpointFile(of.out)}.lock`)).toBe(false);
  });

  it('writes heads whose file says what they read, and that evaluateHeads measures alike', async () => {
    const of = named('measured.safetensors');
    const { quality } = await trainHeads(of);
    const { shape } = await openModel(nano);
    expect(openRetainingHeads(of.out, shape)).toMatchObject({ input: 'hidden', width: 8 });
    expect(await evaluateHeads(of.out, 4, settings)).toEqual(quality);
  });

  it('writes heads on hidden states that the engine scores with as training did', async () => {
    const of = named('engine.safetensors');
    await trainHeads(of);
    const { shape } = await openModel(nano);
    const heads = openRetainingHeads(of.out, shape);
    const tokens = Int32Array.from({ length: 20 }, (_, index) => 100 + index);
    const options = { precision: 'float32', threads: 1, cacheFolder: folder } as const;
    const model = await FrozenModel.open({ ...options, model: nano, headInputs: ['hidden'], capacity: 32 });
    const hidden = await model.readText(tokens, 'hidden', () => undefined);
    await model.dispose();
    const plan = { budget: 32, chunk: 32, stabilizers: 0, pinned: 0, capacity: 32 };
    const engine = await createProcessorEngine({ ...options, model: nano, heads: of.out, policy: 'locret', plan });
    await engine.extend(tokens, { evict: 'none' });
    const { scores } = await engine.exportLayer(3);
    await engine.dispose();
    const state = hidden[3]?.subarray(7 * shape.hidden, 8 * shape.hidden) ?? new Float32Array(0);
    const activated = Array.from({ length: heads.width }, (_, row) => {
      const before = state.reduce((sum, x, i) => sum + x * (heads.first(3)[row * shape.hidden + i] ?? 0), 0);
      return before / (1 + Math.exp(-before));
    });
    for (const kvHead of [0, 1]) {
      const score = activated.reduce((sum, x, i) => sum + x * (heads.second(3)[kvHead * heads.width + i] ?? 0), 0);
      expect(scores[kvHead * tokens.length + 7]).toBeCloseTo(score, 4);
    }
  });

  it('learns: the loss falls on what it is trained on, with either label and input', async () => {
    for (const [labels, input] of [
      ['published', 'qkv'],
      ['contribution', 'qkv'],
      ['reconstruction', 'hidden'],
    ] as const) {
      const losses: number[] = [];
      const of: TrainingSettings = {
        ...named(`${labels}.safetensors`),
        labels,
        input,
        steps: 30,
        rate: 1e-2,
        width: 16,
      };
      await trainHeads(of, { onProgress: ({ loss }) => losses.push(loss.regression) });
      const mean = (some: readonly number[]): number => some.reduce((sum, one) => sum + one, 0) / some.length;
      expect(mean(losses.slice(-5))).toBeLessThan(0.7 * mean(losses.slice(0, 3)));
    }
  });

  it('lets the model answer itself', async () => {
    const { quality } = await trainHeads({ ...named('own.safetensors'), answers: 'model', steps: 1, questions: 1 });
    expect(quality.regression).toBeGreaterThan(0);
  });

  it.each([6, 1])('ends with an error when it diverges within %i steps, and writes no heads', async (steps) => {
    const of = { ...named('diverged.safetensors'), rate: 1e30, warmup: 0, steps };
    await expect(trainHeads(of)).rejects.toMatchObject({ code: 'invalid-argument', message: /diverged by step/ });
    expect(existsSync(of.out)).toBe(false);
  });

  it('goes on with no other settings, unless it begins anew', async () => {
    const of = named('other.safetensors');
    await pauseAfter(1, of);
    const other = { ...of, rate: 2e-3 };
    await expect(trainHeads(other)).rejects.toMatchObject({ code: 'invalid-argument', message: /another training/ });
    const begins: number[] = [];
    await trainHeads({ ...other, fresh: true, steps: 1 }, { onBegin: ({ step }) => begins.push(step) });
    expect(begins).toEqual([0]);
  });

  it('refuses samples that the model cannot read', async () => {
    const of = { ...settings, tokens: 40_000 };
    await expect(trainHeads(of)).rejects.toMatchObject({ code: 'invalid-argument', message: /40000 tokens/ });
  });
});
