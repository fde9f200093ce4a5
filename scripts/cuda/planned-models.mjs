// Llama-3.1-8B as the engine would hold it: the sizes whose memory is told without loading anything.

/**
 * @typedef {import('../../server/backends/cuda/config.js').CudaConfig} CudaConfig
 * @typedef {import('../../server/backends/cuda/binding.js').CudaPlan} CudaPlan
 */

/**
 * @typedef {object} NamedConfig
 * @property {string} holding weights and cache
 * @property {CudaConfig} config
 */

const budget = 16_384;
/** Units for the question and its answer. */
const behind = 4096;
/** The values of `locret::NumberFormat`. */
const formats = { bfloat16: 1, int8: 3, int4: 4 };

/**
 * @param {keyof typeof formats} weights
 * @param {keyof typeof formats} cache
 * @param {number} chunk
 * @returns {NamedConfig}
 */
function llama(weights, cache, chunk) {
  return {
    holding: `${weights} · ${cache}`,
    config: {
      layers: 32,
      hidden: 4096,
      heads: 32,
      kvHeads: 8,
      headDim: 128,
      feedForward: 14_336,
      vocabulary: 128_256,
      rotaryDim: 128,
      slidingWindow: 0,
      normEpsilon: 1e-5,
      tiedEmbeddings: false,
      queryKeyValueBias: false,
      outputBias: false,
      feedForwardBias: false,
      queryKeyNorm: false,
      headWidth: 1024,
      headInput: 0,
      policy: 0,
      weightFormat: formats[weights],
      cacheFormat: formats[cache],
      budget,
      chunk,
      stabilizers: 2500,
      pinned: 0,
      capacity: budget + Math.max(chunk, behind),
    },
  };
}

export const llamaConfigs = [
  llama('bfloat16', 'bfloat16', 1024),
  llama('bfloat16', 'bfloat16', 3072),
  llama('int8', 'bfloat16', 3072),
  llama('int4', 'int8', 1024),
  llama('int4', 'int8', 3072),
];

/**
 * @param {NamedConfig} named
 * @param {CudaPlan} plan of it
 * @returns {import('./figures-page.mjs').PlannedModel}
 */
export function plannedModel({ holding, config }, plan) {
  return {
    holding,
    chunk: config.chunk,
    weightBytes: plan.weightBytes,
    headBytes: plan.headBytes,
    cacheBytes: plan.cacheBytes,
    workBytes: plan.stagingBytes + plan.workspaceBytes + plan.logitBytes,
    totalBytes: plan.totalBytes,
  };
}
