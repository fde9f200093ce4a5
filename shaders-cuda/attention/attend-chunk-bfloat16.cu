#include "attention/attend-chunk-tensor.cuh"
#include "attention/with-head-dim.h"

namespace locret {

void attendChunkBfloat16(const ChunkAttention& chunk, int parts, cudaStream_t stream) {
  withHeadDim(chunk.attention.tokens.headDim,
              [&](auto headDim) { launchAttendChunk<__nv_bfloat16, decltype(headDim)::value>(chunk, parts, stream); });
}

}  // namespace locret
