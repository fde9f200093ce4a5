#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * Keys of slots 0..count-1, turned by RoPE to their slots, into the staging area that attendChunk reads: each key once
 * per layer and pass instead of once per tile of queries. Values of an int8 or int4 cache are staged beside them.
 *
 * RoPE pairs channel c with c + rotaryDim / 2 (as transformers' rotate_half), channels from rotaryDim on stay as they
 * are (arXiv 2104.09864, equation 34).
 *
 * Reads count · kvHeads units, writes count · kvHeads · headDim numbers in `format` (twice with values), and reads the
 * table once per KV head.
 *
 * @throws Error model-unsupported for a head size or rotaryDim that is not supported, invalid-argument for a cache
 * whose format does not go with `format`, or for values to be staged without a place
 */
void rotateKeys(const RotateKeys& rotation, cudaStream_t stream);

}  // namespace locret
