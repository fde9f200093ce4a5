#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/types.h"

namespace locret {

/**
 * Bytes of AttendChunk::scratch for a chunk of any length. It is optional: with it, the units are shared out to several
 * blocks per tile of queries where a short chunk would leave most of the device idle. Not used in float32.
 */
std::size_t chunkScratchBytes(int headDim);

/**
 * Attention of a chunk over [retained ‖ new] (Locret, arXiv 2410.01805, algorithm 1; flash attention, arXiv
 * 2307.08691). Query i, of slot `retained + i`, sees the retained units and new units 0..i; with a window only the last
 * `window` slots of those. Queries are turned by RoPE here, keys were by rotateKeys, to which the new units belong.
 *
 * bfloat16 and float16 run on tensor cores with float32 accumulation; probabilities are rounded to the format before
 * they meet the values. The rows of a tile are the query heads of one KV head for neighbouring tokens, so that a tile
 * of keys and values is read once for all of them. float32 runs on plain multiply-adds.
 *
 * FLOPs: 4 · headDim · heads · (number of visible pairs of tokens). Bytes: per tile of 128 rows the visible keys and
 * values.
 *
 * @throws Error model-unsupported for a head size or rotaryDim that is not supported, invalid-argument when `format` is
 * not the activations', heads is not a multiple of kvHeads or the units do not fit the staging area
 */
void attendChunk(const AttendChunk& attention, cudaStream_t stream);

}  // namespace locret
