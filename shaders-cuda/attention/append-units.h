#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * Writes keys and values of the chunk behind the cache's units, and their token indices.
 * In an int8 or int4 cache they are quantized (attention/cache-format.h).
 *
 * Reads and writes every new key and value once: tokens · kvHeads · headDim · 2 numbers of either format.
 *
 * @throws Error model-unsupported for a head size that is not supported, invalid-argument for a cache whose format does
 * not go with the activations (expectCacheFormat)
 */
void appendUnits(const AppendUnits& append, cudaStream_t stream);

/** What the quantization of keys is calibrated from. */
struct CalibrateKeys {
  /** Tokens of real text: some hundred are enough, see attention/cache-format.h; a few do no harm. */
  ProjectedTokens tokens;
  /** Only keyChannelScales is written. */
  LayerCacheView cache;
  /** Channels that RoPE turns into each other get one scale: c and c + rotaryDim / 2 for c < rotaryDim / 2. */
  std::int32_t rotaryDim;
};

/**
 * Sets channelScale (the standard deviation of a channel over the tokens; of a rotated pair, of both) and center (the
 * mean divided by channelScale) of every KV head. The mean variance of the head's channels counts as 16 more tokens of
 * each channel. To be called before the first unit is appended to an int8 or int4
 * cache, once per model or per memory: units that are in the cache would change their meaning. Does nothing for other
 * formats.
 */
void calibrateKeys(const CalibrateKeys& calibration, cudaStream_t stream);

}  // namespace locret
