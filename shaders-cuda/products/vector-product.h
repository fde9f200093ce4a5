#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * The product of one to eight tokens: `multiply` for decoding and the shortest prompts. Reads the weights once, by 16
 * bytes, past the L1 cache; their bytes are the time. Bytes: weights + tokens · (columns + rows) numbers. FLOPs: as for
 * eight tokens, on tensor cores, with 16-bit activations; 2 · tokens · rows · columns with float32.
 */
void multiplyVectors(const Product& product, cudaStream_t stream);

}  // namespace locret
