#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/types.h"

namespace locret {

/** Bytes of scratch for attendDecode: what each part of the units contributes to each head. */
std::size_t decodeScratchBytes(int heads, int kvHeads, int headDim, int capacity);

/**
 * Attention of one token over the whole cache, itself included. Reads the cache as it is: keys and values are turned
 * into numbers, and keys by RoPE, in registers, for all query heads of a KV head together. The units are split into
 * parts (flash decoding), which a second kernel joins. How many units there are is read on the device, so that a
 * captured graph serves every step.
 *
 * Bytes: the units in sight, once. FLOPs: 4 · headDim · heads · units. The table of cosines and sines is read by all KV
 * heads of a slot in one block, mostly from the first-level cache.
 *
 * @throws Error model-unsupported for a head size, a group of query heads or a rotaryDim that is not supported,
 * invalid-argument for a cache whose format does not go with the activations
 */
void attendDecode(const AttendDecode& attention, cudaStream_t stream);

}  // namespace locret
