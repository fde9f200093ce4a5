#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/types.h"

namespace locret {

/** Bytes of scratch that compactUnits needs for this cache. Its format and sizes are read, its arrays are not. */
std::size_t compactScratchBytes(const LayerCacheView& cache);

/**
 * Moves the chosen units of each KV head to slots 0..keptCount-1, in place: keys, values, scores, token indices and, in
 * an int8 or int4 cache, the scales that belong to units. Keys are cached before RoPE, so they move as they are.
 *
 * `kept` is ascending per head, so a unit only moves down (kept[i] >= i), and the units that tile t of the destination
 * overwrites are read by tiles up to t only. Every block therefore loads its tile into registers, says so, waits until
 * the tiles before it that read from its destination have said so too, and stores. Blocks take their tiles from a
 * counter, so the tiles that one waits for are always running or done: no block waits for one that has not started.
 *
 * Each unit that moves is read once and written once: 2 · moved · bytes of a unit, and nothing for the tiles before the
 * first gap, which is the least that keeps slots ascending. Going through scratch would move everything twice; filling
 * gaps from the end would move only as many units as leave, but slots are positions and must keep their order.
 *
 * @throws Error invalid-argument when keptCount is not between 1 and keptStride, or exceeds the capacity, or an array
 * does not start at a multiple of 16 bytes
 */
void compactUnits(const CompactUnits& compaction, cudaStream_t stream);

}  // namespace locret
