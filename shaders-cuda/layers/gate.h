#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * SwiGLU: output[t] = silu(g) · u of input[t] = [g ‖ u], each `feedForward` numbers; silu(x) = x / (1 + e^-x), in
 * float32. Reads 2 · tokens · feedForward numbers, writes half as many. Can be captured in a graph.
 * @throws Error invalid-argument when there are no tokens, feedForward is not a multiple of 4, or the format is none of
 * activations
 */
void gate(const Gate& gating, cudaStream_t stream);

}  // namespace locret
