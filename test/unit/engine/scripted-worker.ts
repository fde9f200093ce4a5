import { parentPort } from 'node:worker_threads';
import type { Engine, EngineDescription, EngineOptions, LayerCache } from '../../../server/engine/engine.js';
import { serveEngine } from '../../../server/engine/serve-engine.js';
import { cancelled, LocretError, throwIfCancelled } from '../../../server/errors.js';
import { equalLayers, layerNorms } from '../../../server/model/shape.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What `forget` of a range that begins here does. */
const mishaps = new Map<number, () => void>([
  [
    -1,
    () => {
      throw new LocretError('out-of-memory', 'no room for 7 units', 'Use fewer.');
    },
  ],
  [
    -2,
    () => {
      throw new TypeError('undefined is not a function');
    },
  ],
  [-3, () => process.exit(3)],
  [
    -4,
    () => {
      setImmediate(() => {
        throw new RangeError('thrown outside of any call');
      });
    },
  ],
]);

/** An engine without a model: its cache is the list of tokens, and each token it generates is one more than the last. */
function scriptedEngine(options: EngineOptions): Engine {
  const tokens: number[] = [];
  let layers: LayerCache[] = [];
  let running = 0;
  const description: EngineDescription = {
    backend: 'cpu',
    shape: {
      family: 'llama',
      layers: equalLayers(1, {
        window: undefined,
        rope: { theta: 1, rotaryDim: 1, scaling: { kind: 'none' } },
        norms: layerNorms(false),
        activation: 'silu',
      }),
      hidden: 1,
      heads: 1,
      kvHeads: 1,
      headDim: 1,
      feedForward: 1,
      vocabulary: 1,
      normEpsilon: 1e-5,
      maxPositions: 1,
      tiedEmbeddings: false,
      queryKeyValueBias: false,
      outputBias: false,
      feedForwardBias: false,
    },
    plan: options.plan,
    policy: options.policy,
    precision: options.precision,
    fingerprint: 'scripted',
    threads: options.threads,
  };
  const alone = async <T>(task: () => Promise<T>): Promise<T> => {
    if (++running > 1) throw new Error('two calls at a time');
    try {
      return await task();
    } finally {
      running--;
    }
  };
  return {
    description,
    extend: (added, { onChunk, signal }) =>
      alone(async () => {
        const { chunk } = options.plan;
        for (let begin = 0; begin < added.length; begin += chunk) {
          throwIfCancelled(signal, 'Reading');
          tokens.push(...added.slice(begin, begin + chunk));
          await turn();
          const end = tokens.length;
          onChunk?.({ begin: end - chunk, end, length: end, milliseconds: { model: 1, eviction: 0 } });
        }
        return { logits: Float32Array.from(tokens) };
      }),
    generate: ({ maxTokens, onToken, signal }) =>
      alone(async () => {
        const chosen: number[] = [];
        while (chosen.length < maxTokens) {
          if (signal?.aborted === true) throw cancelled('Generating');
          await turn();
          const token = (tokens.at(-1) ?? 0) + 1;
          tokens.push(token);
          chosen.push(token);
          if (onToken?.(token) === false) return { tokens: chosen, end: 'stopped' };
        }
        return { tokens: chosen, end: 'token-limit' };
      }),
    mark: () => alone(() => Promise.resolve({ length: tokens.length, nextTokenIndex: tokens.length, evictions: 0 })),
    rewind: (mark) =>
      alone(async () => {
        await turn();
        tokens.length = mark.length;
      }),
    forget: (ranges) =>
      alone(async () => {
        for (const { begin } of ranges) mishaps.get(begin)?.();
        await turn();
        return ranges.length;
      }),
    reset: () =>
      alone(async () => {
        await turn();
        tokens.length = 0;
      }),
    exportLayer: (layer) =>
      alone(() => {
        const found = layers[layer];
        if (found === undefined) throw new LocretError('invalid-argument', `no layer ${layer}`, 'Import it.');
        return Promise.resolve(found);
      }),
    importLayers: (source) =>
      alone(async () => {
        layers = [];
        for await (const layer of source) {
          layers.push(layer);
          if (layer.length > 100) throw new LocretError('snapshot-corrupt', 'too many units', 'Read again.');
        }
      }),
    keptUnits: () =>
      alone(() =>
        Promise.resolve({ tokenIndices: Int32Array.from(tokens), counts: new Uint16Array(tokens.length).fill(2) }),
      ),
    stats: () =>
      alone(() =>
        Promise.resolve({
          length: tokens.length,
          nextTokenIndex: tokens.length,
          evictions: 0,
          cacheBytes: 0,
          weightBytes: 0,
          seconds: { model: 0, eviction: 0 },
        }),
      ),
    dispose: () => alone(() => Promise.resolve()),
  };
}

if (parentPort === null) throw new Error('a worker thread of remote-engine.test.ts');
serveEngine((options) => {
  if (options.model === 'missing') {
    throw new LocretError('model-not-found', 'There is no model in "missing".', 'Give a folder with a config.json.');
  }
  if (options.model === 'unloadable') process.exit(9);
  return Promise.resolve(scriptedEngine(options));
}, parentPort);
