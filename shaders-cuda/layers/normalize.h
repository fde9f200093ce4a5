#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/** The widest rows that normalize takes. */
inline constexpr int widestNormalized = 16384;

/**
 * The residual addition and the RMSNorm behind it, in one pass over the residual stream: hidden += addition (unless
 * null); output = hidden / sqrt(mean(hidden²) + epsilon) · weight (unless null). All in float32; sums do not depend on
 * the order in which blocks run. A row is read once and kept in registers: tokens · width · (4 + 4 + bytes of the
 * addition + bytes of the output) bytes, without an addition 4 less. Can be captured in a graph.
 * @throws Error invalid-argument when there are no tokens, the width is not a multiple of 4 up to 16384, or a format is
 * none of activations
 */
void normalize(const Normalize& normalization, cudaStream_t stream);

}  // namespace locret
