#pragma once

#include <cuda_runtime.h>

#include "device/types.h"
#include "products/pack-weights.h"
#include "products/weight-layout.h"

namespace locret {

/** Up to this many tokens a product is a matter of reading the weights once (products/vector-product.h). */
inline constexpr std::int32_t mostVectorTokens = 8;

/**
 * output = input · Wᵀ + bias, accumulated in float32. Activations float32 take weights in float32; bfloat16 takes
 * bfloat16, int8 and int4; float16 takes float16. 2 · tokens · rows · columns FLOPs. Input, weights and output are
 * aligned to 16 bytes. Can be captured in a graph. Throws `Error` where formats or sizes do not fit; an engine finds
 * that out when it loads, with `checkProduct`.
 */
void multiply(const Product& product, cudaStream_t stream);

/** Throws `Error` when `multiply` would not take the product; looks at formats and sizes only. */
void checkProduct(const Product& product);

}  // namespace locret
