import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, EngineOptions, LayerCache, Sampling } from '../../../server/engine/engine.js';
import { openEngine } from '../../../server/engine/remote-engine.js';

const sampling: Sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };
const plan = { budget: Infinity, chunk: 4, stabilizers: 0, pinned: 0, capacity: 1000 };
const options: EngineOptions = {
  model: 'scripted',
  policy: 'sink-recent',
  precision: 'float32',
  plan,
  threads: 1,
  cacheFolder: '',
};
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const failsWith = (code: string): unknown => expect.objectContaining({ name: 'LocretError', code });

let folder: string;
let workerFile: URL;
const engines: Engine[] = [];

async function open(changes: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ ...options, ...changes }, workerFile);
  engines.push(engine);
  return engine;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'locret-scripted-worker-'));
  const outfile = join(folder, 'worker.mjs');
  const entry = fileURLToPath(new URL('scripted-worker.ts', import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node' });
  workerFile = pathToFileURL(outfile);
});

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.dispose()));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('openEngine', () => {
  it("gives the engine's description", async () => {
    const { description } = await open({ threads: 3 });
    expect(description).toMatchObject({ fingerprint: 'scripted', threads: 3, plan });
  });

  it('fails with the code and remedy of the error in the worker', async () => {
    await expect(open({ model: 'missing' })).rejects.toMatchObject({
      name: 'LocretError',
      code: 'model-not-found',
      message: 'There is no model in "missing".',
      remedy: 'Give a folder with a config.json.',
    });
  });

  it('fails when the worker ends while loading', async () => {
    await expect(open({ model: 'unloadable' })).rejects.toThrow(failsWith('engine-failed'));
  });

  it('fails when the worker is no program', async () => {
    const broken = join(folder, 'broken.mjs');
    await writeFile(broken, 'this is no program');
    await expect(openEngine(options, pathToFileURL(broken))).rejects.toThrow(failsWith('engine-failed'));
    await expect(openEngine(options, pathToFileURL(join(folder, 'absent.mjs')))).rejects.toThrow(
      failsWith('engine-failed'),
    );
  });

  it('finds the worker in a folder whose name has spaces and non-ASCII letters', async () => {
    const link = join(folder, 'ein Ordner für Ä%20');
    await symlink(folder, link);
    const engine = await openEngine(options, pathToFileURL(join(link, 'worker.mjs')));
    engines.push(engine);
    expect((await engine.stats()).length).toBe(0);
  });
});

describe('calls', () => {
  it('run one at a time, in their order', async () => {
    const engine = await open();
    const [extended, generated, mark, , stats] = await Promise.all([
      engine.extend(Int32Array.from(numbers(10)), { evict: 'none' }),
      engine.generate({ maxTokens: 3, sampling, stopTokens: [] }),
      engine.mark(),
      engine.reset(),
      engine.stats(),
    ]);
    expect(Array.from(extended.logits)).toEqual(numbers(10));
    expect(generated).toEqual({ tokens: [10, 11, 12], end: 'token-limit' });
    expect(mark.length).toBe(13);
    expect(stats.length).toBe(0);
  });

  it('carry arguments and results of every kind', async () => {
    const engine = await open();
    await engine.extend(numbers(8), { evict: 'none' });
    await engine.rewind({ length: 2, nextTokenIndex: 2, evictions: 0 });
    expect((await engine.stats()).length).toBe(2);
    expect(await engine.forget([{ begin: 0, end: 1 }])).toBe(1);
    expect(await engine.keptUnits()).toEqual({ tokenIndices: Int32Array.of(0, 1), counts: Uint16Array.of(2, 2) });
  });

  it('report chunks while they run, in order and before the result', async () => {
    const engine = await open();
    const ends: number[] = [];
    await engine.extend(numbers(11), { evict: 'none', onChunk: ({ end }) => ends.push(end) });
    expect(ends).toEqual([4, 8, 11]);
  });

  it('report tokens and end exactly after the one that was refused', async () => {
    const engine = await open();
    const seen: number[] = [];
    const onToken = (token: number): boolean => {
      seen.push(token);
      return seen.length < 5;
    };
    const { tokens, end } = await engine.generate({ maxTokens: 100, sampling, stopTokens: [], onToken });
    expect(end).toBe('stopped');
    expect(tokens).toEqual(seen);
    expect((await engine.stats()).length).toBe(5);
  });

  it('end with what a listener throws, and leave the engine usable', async () => {
    const engine = await open();
    const thrown = new Error('the listener gave up');
    const giveUp = (): never => {
      throw thrown;
    };
    await expect(engine.extend(numbers(100_000), { evict: 'none', onChunk: giveUp })).rejects.toBe(thrown);
    expect((await engine.stats()).length).toBeLessThan(100_000);
    await expect(engine.generate({ maxTokens: 50, sampling, stopTokens: [], onToken: giveUp })).rejects.toBe(thrown);
    await engine.reset();
    expect((await engine.stats()).length).toBe(0);
  });
});

describe('cancelling', () => {
  it('ends a running call within a chunk', async () => {
    const engine = await open();
    const abort = new AbortController();
    const onChunk = ({ end }: { readonly end: number }): void => {
      if (end === 8) abort.abort();
    };
    const call = engine.extend(numbers(100_000), { evict: 'none', onChunk, signal: abort.signal });
    await expect(call).rejects.toThrow(failsWith('cancelled'));
    expect((await engine.stats()).length).toBeLessThan(100_000);
  });

  it('ends generation exactly at the token at which it was asked for', async () => {
    const engine = await open();
    const abort = new AbortController();
    const onToken = (token: number): boolean => {
      if (token === 3) abort.abort();
      return true;
    };
    const call = engine.generate({ maxTokens: 100, sampling, stopTokens: [], onToken, signal: abort.signal });
    await expect(call).rejects.toThrow(failsWith('cancelled'));
    expect((await engine.stats()).length).toBe(3);
  });

  it('keeps a call that waits from starting, at once and without touching the one that runs', async () => {
    const engine = await open();
    const abort = new AbortController();
    let running = true;
    const first = engine.extend(numbers(400), { evict: 'none' }).finally(() => {
      running = false;
    });
    const second = engine.extend(numbers(8), { evict: 'none', signal: abort.signal });
    abort.abort();
    await expect(second).rejects.toThrow(failsWith('cancelled'));
    expect(running).toBe(true);
    await first;
    expect((await engine.stats()).length).toBe(400);
  });

  it('refuses a call whose signal fired before', async () => {
    const engine = await open();
    const call = engine.extend(numbers(8), { evict: 'none', signal: AbortSignal.abort() });
    await expect(call).rejects.toThrow(failsWith('cancelled'));
    expect((await engine.stats()).length).toBe(0);
  });

  it('has no effect on a later call', async () => {
    const engine = await open();
    const abort = new AbortController();
    await engine.extend(numbers(4), { evict: 'none', signal: abort.signal });
    abort.abort();
    await engine.extend(numbers(400), { evict: 'none' });
    expect((await engine.stats()).length).toBe(404);
  });
});

describe('layers', () => {
  const layer = (length: number): LayerCache => ({
    length,
    keys: new Float32Array(length * 2).fill(1.5),
    values: new Float32Array(length * 2).fill(-1),
    scores: new Float32Array(length),
    tokenIndices: Int32Array.from(numbers(length)),
  });

  async function* some(lengths: readonly number[]): AsyncGenerator<LayerCache> {
    for (const length of lengths) {
      await Promise.resolve();
      yield layer(length);
    }
  }

  it('come back as they went, one at a time', async () => {
    const engine = await open();
    await engine.importLayers(some([3, 5]), 5);
    expect(await engine.exportLayer(1)).toEqual(layer(5));
    expect(await engine.exportLayer(0)).toEqual(layer(3));
  });

  it("keep the caller's arrays intact", async () => {
    const engine = await open();
    const own = layer(4);
    await engine.importLayers(
      (async function* () {
        yield await Promise.resolve(own);
      })(),
      4,
    );
    expect(own).toEqual(layer(4));
  });

  it('end with the error of their source, which is closed', async () => {
    const engine = await open();
    const thrown = new Error('the file is truncated');
    const source = async function* (): AsyncGenerator<LayerCache> {
      yield* some([1]);
      throw thrown;
    };
    await expect(engine.importLayers(source(), 1)).rejects.toBe(thrown);
    expect(await engine.exportLayer(0)).toEqual(layer(1));
  });

  it('close their source when the engine refuses one', async () => {
    const engine = await open();
    let closed = false;
    const source = async function* (): AsyncGenerator<LayerCache> {
      try {
        yield* some([101, 1, 1]);
      } finally {
        closed = true;
      }
    };
    await expect(engine.importLayers(source(), 1)).rejects.toThrow(failsWith('snapshot-corrupt'));
    expect(closed).toBe(true);
  });
});

describe('errors in the worker', () => {
  it('keep their code, message and remedy', async () => {
    const engine = await open();
    await expect(engine.forget([{ begin: -1, end: 0 }])).rejects.toMatchObject({
      name: 'LocretError',
      code: 'out-of-memory',
      message: 'no room for 7 units',
      remedy: 'Use fewer.',
    });
    expect((await engine.stats()).length).toBe(0);
  });

  it('become engine-failed when nobody foresaw them', async () => {
    const engine = await open();
    const message: unknown = expect.stringContaining('undefined is not a function');
    await expect(engine.forget([{ begin: -2, end: 0 }])).rejects.toMatchObject({ code: 'engine-failed', message });
  });

  it.each([
    ['ends by itself', -3, /exit code 3/],
    ['crashes', -4, /thrown outside of any call/],
  ])('fail every call, running, waiting and later, when the worker %s', async (_, begin, message) => {
    const engine = await open();
    const calls = [engine.forget([{ begin, end: 0 }]), engine.extend(numbers(4000), { evict: 'none' }), engine.stats()];
    const outcomes = await Promise.allSettled(calls);
    for (const outcome of outcomes.slice(begin === -4 ? 1 : 0)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'engine-failed' } });
    }
    await expect(engine.stats()).rejects.toThrow(message);
    await engine.dispose();
  });
});

describe('dispose', () => {
  it('cancels what runs, refuses what waits and what comes later', async () => {
    const engine = await open();
    const running = engine.extend(numbers(100_000), { evict: 'none' });
    const waiting = engine.stats();
    const outcomes = Promise.allSettled([running, waiting]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([engine.dispose(), engine.dispose()]);
    expect(await outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'cancelled' } },
      { status: 'rejected', reason: { code: 'engine-failed', message: 'The model was unloaded.' } },
    ]);
    await expect(engine.stats()).rejects.toThrow(failsWith('engine-failed'));
  });
});
