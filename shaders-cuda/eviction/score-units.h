#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/types.h"

namespace locret {

/** Bytes of scratch that scoreUnits needs for so many tokens: `[tokens, d_R]` in the activations' format. */
std::size_t scoreScratchBytes(int tokens, int headRows, NumberFormat activation);

/**
 * Causal importance scores of new units: fc2 · SiLU(fc1 · x), no biases (arXiv 2410.01805, section 3.2). x is what the
 * fused projection left, [q ‖ k ‖ v] of each token before q/k norm and RoPE, read where it stands; or the hidden state.
 * fc1 is `[d_R, inputs]` of any format that products take beside these activations; fc2 is `[kvHeads, d_R]` in float32,
 * bfloat16 or float16, because quantizing it would blur the order of the scores. The score of token t and KV head h
 * goes to slot `length + t` of the cache, in float32, with the token's bonus.
 *
 * Two steps. fc1 is one of the products (products/product.h), 2 · tokens · inputs · d_R FLOPs on tensor cores. Then a
 * block per token activates its row and sums it up with all rows of fc2: reads tokens · d_R numbers, writes tokens ·
 * kvHeads · 4 bytes. The row between the steps stays in the second-level cache: 2 MB for 1,024 tokens and d_R = 1,024.
 * Keeping it in registers would save these 4 MB of traffic within that cache, about two hundredths of the product's
 * time by arithmetic, and would tie scoring to a product of its own: this one is tuned, takes every format of weights,
 * and is fast for a single token too. Every sum is in a fixed order: equal tokens get equal scores. Can be captured in
 * a graph.
 *
 * @throws Error invalid-argument when sizes do not fit each other, or fc2 is quantized
 */
void scoreUnits(const ScoreUnits& scoring, cudaStream_t stream);

}  // namespace locret
