#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/types.h"

namespace locret {

/** Bytes of scratch that rankByKeyDifference needs. */
std::size_t keyDifferenceScratchBytes(int kvHeads, int headDim);

/**
 * KeyDiff (arXiv 2504.15364, section 3): units whose keys differ most from the average key stay. rank_i = -cos(k_i, a),
 * with the anchor a = mean over all units j of k_j / |k_j|, on keys rotated to their slots. A key of length 0 ranks 0.
 * The formula of server/eviction/key-difference.ts, which sums in float64; here sums are in float32, in an order
 * that depends on sizes only, so that ranks differ in their last digits and are the same in every run.
 *
 * Two launches, each with one warp per key at a time: one adds up directions, one ranks. Reads the keys twice:
 * 2 · kvHeads · count · headDim numbers, the second time mostly from the second-level cache; 10 FLOPs per number.
 *
 * @throws Error invalid-argument when a size is not positive, headDim is not a multiple of 4 up to 128, or the format
 * is none of activations
 */
void rankByKeyDifference(const RankByKeyDifference& ranking, cudaStream_t stream);

}  // namespace locret
