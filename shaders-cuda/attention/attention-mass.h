#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/types.h"

namespace locret {

/** Bytes of AttentionMassSums::scratch, needed only when `reach` is given. */
std::size_t massScratchBytes(int tokens, int heads);

/**
 * Adds to each unit the probability that the observed query tokens give it, summed over them and over the query heads
 * of its KV head (server/engine/attention-mass.ts). Without `reach` the sums of all units grow by (observed tokens) ·
 * (query heads per KV head) per KV head.
 *
 * The keys are rounded to the activations' format after RoPE, as in attendChunk and attendDecode, so that the
 * probabilities go with their logSums. Every sum is added up by one thread in a fixed order: the same numbers each
 * time.
 *
 * Bytes: the keys in sight once per pass over them (twice with `reach`). FLOPs: 2 · headDim · heads · observed · units.
 *
 * @throws Error model-unsupported for a head size that is not supported, invalid-argument for a cache whose format does
 * not go with the activations, for `reach` without scratch and for neither logSums nor `reach`
 */
void attentionMass(const AttentionMassSums& mass, cudaStream_t stream);

}  // namespace locret
