#include "attention/attend-chunk-float.h"

#include "attention/attend-rows.cuh"
#include "attention/visible-units.cuh"
#include "device/launch.cuh"

namespace locret {
namespace {

constexpr int warps = 8;
constexpr int threads = warps * lanesPerWarp;
constexpr int rowsPerBlock = warps * AttendedRows::rows;
constexpr float log2e = 1.4426950408889634f;
constexpr float ln2 = 0.6931471805599453f;

/** Copies units firstSlot.. of a KV head to a tile; those from `end` on become zero. */
__device__ void loadStagedTile(const float* units, int firstSlot, int end, int headDim, float* tile) {
  const int fours = headDim / 4;
  for (int index = static_cast<int>(threadIdx.x); index < AttendedRows::keys * fours; index += threads) {
    const int unit = index / fours;
    const int four = index - unit * fours;
    const int slot = firstSlot + unit;
    const float4 zero = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    const auto* source = reinterpret_cast<const float4*>(units) + static_cast<std::size_t>(slot) * fours + four;
    reinterpret_cast<float4*>(tile + unit * tileStride(headDim))[four] = slot < end ? *source : zero;
  }
}

/** Blocks: x tiles of 32 query rows, y KV heads. */
__global__ void __launch_bounds__(threads) attendChunkFloatKernel(AttendChunk attention) {
  LOCRET_DYNAMIC_SHARED(float, queries);
  const ProjectedTokens& tokens = attention.tokens;
  const int headDim = tokens.headDim;
  const int stride = tileStride(headDim);
  float* const keyTile = queries + rowsPerBlock * stride;
  float* const valueTile = keyTile + AttendedRows::keys * stride;
  const int group = tokens.heads / tokens.kvHeads;
  const int kvHead = static_cast<int>(blockIdx.y);
  const int rowCount = tokens.tokens * group;
  const int firstRow = static_cast<int>(blockIdx.x) * rowsPerBlock;
  const int lastRow = min(firstRow + rowsPerBlock, rowCount) - 1;
  const int retained = attention.retained;
  const int window = attention.window;
  const VisibleUnits visible = visibleUnits(retained, window, firstRow / group, lastRow / group);

  loadQueryTile<float>(tokens, kvHead, firstRow, lastRow + 1 - firstRow, queries, rowsPerBlock, threads);
  __syncthreads();
  turnTile(queries, rowsPerBlock, headDim, attention.rope, threads,
           [=](int row) { return retained + min(firstRow + row, lastRow) / group; });

  const std::size_t valueCapacity = attention.valueCapacity > 0 ? attention.valueCapacity : attention.stagingCapacity;
  const float* keys = static_cast<const float*>(attention.keys) +
                      static_cast<std::size_t>(kvHead) * attention.stagingCapacity * headDim;
  const float* values = static_cast<const float*>(attention.values) + kvHead * valueCapacity * headDim;
  const int warpRow = firstRow + warpIndex() * AttendedRows::rows;
  AttendedRows rows;
  rows.clear();
  for (int firstSlot = visible.begin / AttendedRows::keys * AttendedRows::keys; firstSlot < visible.end;
       firstSlot += AttendedRows::keys) {
    __syncthreads();
    loadStagedTile(keys, firstSlot, visible.end, headDim, keyTile);
    loadStagedTile(values, firstSlot, visible.end, headDim, valueTile);
    __syncthreads();
    const int slot = firstSlot + laneIndex();
    rows.attend(queries + warpIndex() * AttendedRows::rows * stride, keyTile, valueTile, headDim,
                attention.scale * log2e, [=](int row) {
                  const int own = retained + min(warpRow + row, lastRow) / group;
                  return slot <= own && (window == 0 || slot > own - window);
                });
  }

#pragma unroll
  for (int row = 0; row < AttendedRows::rows; ++row) {
    if (warpRow + row > lastRow) continue;
    const QueryRow query = queryRowOf(warpRow + row, group, kvHead);
    float* target = static_cast<float*>(attention.output) +
                    (static_cast<std::size_t>(query.token) * tokens.heads + query.head) * headDim;
#pragma unroll
    for (int i = 0; i < AttendedRows::channelsPerLane; ++i) {
      const int channel = laneIndex() + i * lanesPerWarp;
      if (channel < headDim) target[channel] = rows.output[row][i] / rows.sum[row];
    }
    if (attention.logSums != nullptr && laneIndex() == 0) {
      attention.logSums[static_cast<std::size_t>(query.head) * tokens.tokens + query.token] =
          (rows.largest[row] + log2f(rows.sum[row])) * ln2;
    }
  }
}

}  // namespace

void attendChunkFloat(const AttendChunk& attention, cudaStream_t stream) {
  const ProjectedTokens& tokens = attention.tokens;
  const std::int64_t rows = static_cast<std::int64_t>(tokens.tokens) * (tokens.heads / tokens.kvHeads);
  const std::size_t shared =
      sizeof(float) * (rowsPerBlock + 2 * AttendedRows::keys) * static_cast<std::size_t>(tileStride(tokens.headDim));
  launch(attendChunkFloatKernel, dim3(blocksFor(rows, rowsPerBlock), static_cast<unsigned int>(tokens.kvHeads)),
         dim3(threads), shared, stream, attention);
}

}  // namespace locret
