#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * RMSNorm over the dimensions of each query head and each key head, in place (qwen3): x / sqrt(mean(x²) + epsilon) ·
 * weight, in float32. Values are not touched. Retaining heads read projections before this. Reads and writes
 * tokens · (heads + kvHeads) · headDim numbers. Can be captured in a graph.
 * @throws Error invalid-argument when a size is not positive, headDim is not a multiple of 4 up to 128, or the format
 * is none of activations
 */
void normalizeHeads(const NormalizeHeads& normalization, cudaStream_t stream);

}  // namespace locret
