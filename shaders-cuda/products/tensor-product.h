#pragma once

#include <cuda_runtime.h>

#include "device/types.h"
#include "products/tile-size.h"

namespace locret {

/** The tile that is done first. Smaller ones are slower per output, but leave fewer multiprocessors idle at the end. */
TileSize chooseTile(const Product& product);

/**
 * The product of many tokens on tensor cores: `mma.m16n8k16` with bfloat16 or float16 operands and float32 sums; int8
 * and int4 weights become bfloat16 in registers, rounded after they were multiplied by their scale. 2 · tokens · rows ·
 * columns FLOPs. A tile of T tokens × R rows reads (T + R) · columns numbers. Not for float32.
 */
void multiplyTensors(const Product& product, TileSize size, cudaStream_t stream);

}  // namespace locret
