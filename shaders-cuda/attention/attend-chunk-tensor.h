#pragma once

#include <cuda_runtime.h>

#include "attention/join-parts.h"
#include "device/types.h"

namespace locret {

/** Query rows of a block of the tensor-core kernel. */
inline constexpr int chunkRowsPerBlock = 128;

/** A chunk's attention: with one part to the output, with several to `parts`, which joinParts then joins. */
struct ChunkAttention {
  AttendChunk attention;
  AttentionParts parts;
};

/** attendChunk on tensor cores, the units shared out to so many blocks per tile. The arguments have been checked. */
void attendChunkBfloat16(const ChunkAttention& chunk, int parts, cudaStream_t stream);
void attendChunkFloat16(const ChunkAttention& chunk, int parts, cudaStream_t stream);

}  // namespace locret
