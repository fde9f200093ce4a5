// What the engine is to reach on one H200 with random weights in the shape of Llama-3.1-8B, 131,072 tokens, a budget of
// 16,384, and how far a measurement comes.

/**
 * @typedef {object} Measurement a row of `bench --json`; see shaders-cuda/bench/bench.h
 * @property {string} name
 * @property {string} sizes
 * @property {number} bytes
 * @property {number} tokens
 * @property {number} peakBytes
 * @property {number} medianMilliseconds
 */

/**
 * @typedef {object} BenchResult what `bench --json` writes
 * @property {string} device
 * @property {number} peakBytesPerSecond
 * @property {readonly Measurement[]} measurements
 */

/**
 * @typedef {object} TorchRun what locret_torch.py prints of reading and decoding
 * @property {number} chunk
 * @property {number} lateTokensPerSecond
 * @property {number} decodeTokensPerSecond
 * @property {number | null} peakBytes
 */

/**
 * @typedef {object} TorchProduct a product of locret_torch.py --products
 * @property {string} sizes
 * @property {number} medianMilliseconds
 */

/**
 * @typedef {object} TorchProducts
 * @property {string} torch its version
 * @property {readonly TorchProduct[]} products
 */

/**
 * @typedef {object} Goal
 * @property {string} what
 * @property {string} wanted
 * @property {string} measured
 * @property {boolean} reached
 */

const exact = 'bf16, cache bf16';
const small = 'int4, cache int8';
export const chunks = [1024, 3072];
const products = 'products/multiply';

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** @param {number} ratio */
function times(ratio) {
  return `${ratio.toFixed(2)}×`;
}

/**
 * The goals that these measurements tell of.
 * @param {BenchResult} bench
 * @param {readonly TorchRun[]} torch a run for each chunk
 * @param {readonly TorchProduct[]} torchProducts
 * @returns {Goal[]}
 * @throws Error when a measurement is missing
 */
export function goalsReached(bench, torch, torchProducts) {
  /** @param {string} name @param {string} sizes */
  const row = (name, sizes) => {
    const found = bench.measurements.find((one) => one.name === name && one.sizes === sizes);
    if (found === undefined) throw new Error(`The measurement "${sizes}" of ${name} is missing; run all benchmarks.`);
    return found;
  };
  /** @param {string} variant @param {number} chunk @param {string} what */
  const ofEngine = (variant, chunk, what) => row('engine/llama-3.1-8b', `${variant}, B ${chunk}: ${what}`);
  const speed = (/** @type {Measurement} */ one) => (1000 * one.tokens) / one.medianMilliseconds;
  const torchOf = (/** @type {number} */ chunk) => {
    const found = torch.find((run) => run.chunk === chunk);
    if (found === undefined) throw new Error(`PyTorch was not measured with a chunk of ${chunk}.`);
    return found;
  };
  /** @type {Goal[]} */
  const goals = [];
  /** @param {string} what @param {number} value @param {number} least @param {(value: number) => string} text */
  const atLeast = (what, value, least, text) =>
    void goals.push({ what, wanted: `≥ ${text(least)}`, measured: text(value), reached: value >= least });
  /** @param {string} what @param {number} value @param {number} most @param {(value: number) => string} text */
  const atMost = (what, value, most, text) =>
    void goals.push({ what, wanted: `≤ ${text(most)}`, measured: text(value), reached: value <= most });
  const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(2)} GB`;

  for (const chunk of chunks) {
    const late = ofEngine(exact, chunk, 'a pass at 128K');
    const early = ofEngine(exact, chunk, 'a pass at 32K');
    const step = ofEngine(exact, chunk, 'a decode step');
    const smallStep = ofEngine(small, 1024, 'a decode step');
    const adding = ofEngine(exact, chunk, 'scoring and eviction in it');
    const name = `B ${chunk}`;
    atMost(`${name}: device memory, bf16`, step.peakBytes, 22e9, gigabytes);
    atMost(`${name}: device memory, int4 and int8`, ofEngine(small, chunk, 'a decode step').peakBytes, 10e9, gigabytes);
    atLeast(`${name}: prefill against PyTorch`, speed(late) / torchOf(chunk).lateTokensPerSecond, 1.5, times);
    atMost(`${name}: scoring and eviction`, adding.medianMilliseconds / late.medianMilliseconds, 0.05, percent);
    atMost(`${name}: slower at 128K than at 32K`, Math.abs(speed(late) / speed(early) - 1), 0.03, percent);
    atLeast(`${name}: decoding against PyTorch`, speed(step) / torchOf(chunk).decodeTokensPerSecond, 3, times);
    const bandwidth = (1000 * step.bytes) / step.medianMilliseconds / bench.peakBytesPerSecond;
    atLeast(`${name}: decoding, share of the bandwidth`, bandwidth, 0.75, percent);
    if (chunk === 1024) atLeast('decoding in int4 against bf16', speed(smallStep) / speed(step), 2.5, times);
  }
  const shares = torchProducts.map(({ sizes, medianMilliseconds }) => ({
    sizes,
    share: medianMilliseconds / row(products, sizes).medianMilliseconds,
  }));
  const [worst] = shares.sort((a, b) => a.share - b.share);
  if (worst === undefined) throw new Error('PyTorch measured no product.');
  atLeast(`products against PyTorch, the worst: ${worst.sizes}`, worst.share, 0.65, percent);
  return goals;
}
