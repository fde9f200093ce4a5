#include "attention/attend-chunk-tensor.cuh"
#include "attention/with-head-dim.h"

namespace locret {

void attendChunkFloat16(const ChunkAttention& chunk, int parts, cudaStream_t stream) {
  withHeadDim(chunk.attention.tokens.headDim,
              [&](auto headDim) { launchAttendChunk<__half, decltype(headDim)::value>(chunk, parts, stream); });
}

}  // namespace locret
