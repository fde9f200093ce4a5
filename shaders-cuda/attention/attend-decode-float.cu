#include "attention/attend-decode-tensor.h"
#include "attention/attend-rows.cuh"
#include "attention/decode-parts.cuh"
#include "device/launch.cuh"

namespace locret {
namespace {

/** Four rows per warp: enough for 16 query heads per KV head. */
constexpr int warps = 4;
constexpr int threads = warps * lanesPerWarp;
constexpr int rowsPerBlock = warps * AttendedRows::rows;

/** Blocks: x parts, y KV heads. */
template <NumberFormat format>
__global__ void __launch_bounds__(threads) attendDecodeFloatKernel(DecodeAttention decode) {
  LOCRET_DYNAMIC_SHARED(float, queries);
  constexpr float log2e = 1.4426950408889634f;
  const AttendDecode& attention = decode.attention;
  const LayerCacheView& cache = attention.cache;
  const int headDim = cache.headDim;
  const int stride = tileStride(headDim);
  float* const keyTile = queries + rowsPerBlock * stride;
  float* const valueTile = keyTile + AttendedRows::keys * stride;
  const int group = attention.tokens.heads / attention.tokens.kvHeads;
  const int part = static_cast<int>(blockIdx.x);
  const int kvHead = static_cast<int>(blockIdx.y);
  const int length = *attention.length;
  const DecodePart units = decodePart(length, attention.window, part, decode.parts.parts, AttendedRows::keys);

  loadQueryTile<float>(attention.tokens, kvHead, 0, group, queries, rowsPerBlock, threads);
  __syncthreads();
  turnTile(queries, rowsPerBlock, headDim, attention.rope, threads, [length](int) { return length; });
  const int warpRow = warpIndex() * AttendedRows::rows;
  AttendedRows rows;
  rows.clear();
  for (int slot = units.begin; slot < units.end; slot += AttendedRows::keys) {
    const int count = min(AttendedRows::keys, units.end - slot);
    __syncthreads();
    loadUnitTile<format>(cache, false, kvHead, slot, count, keyTile, AttendedRows::keys, threads);
    loadUnitTile<format>(cache, true, kvHead, slot, count, valueTile, AttendedRows::keys, threads);
    __syncthreads();
    turnTile(keyTile, count, headDim, attention.rope, threads, [slot](int row) { return slot + row; });
    __syncthreads();
    rows.attend(queries + warpRow * stride, keyTile, valueTile, headDim, attention.scale * log2e,
                [count](int) { return laneIndex() < count; });
  }

#pragma unroll
  for (int row = 0; row < AttendedRows::rows; ++row) {
    if (warpRow + row >= group) continue;
    const std::size_t place = static_cast<std::size_t>(part) * decode.parts.rows + kvHead * group + warpRow + row;
    if (laneIndex() == 0) {
      const float stat[2] = {rows.largest[row], rows.sum[row]};
      storeFloats(decode.parts.sums + 2 * place, stat);
    }
#pragma unroll
    for (int i = 0; i < AttendedRows::channelsPerLane; ++i) {
      const int channel = laneIndex() + i * lanesPerWarp;
      if (channel < headDim && rows.sum[row] > 0.0f) {
        decode.parts.values[place * headDim + channel] = rows.output[row][i];
      }
    }
  }
}

}  // namespace

void attendDecodeFloat(const DecodeAttention& decode, cudaStream_t stream) {
  const ProjectedTokens& tokens = decode.attention.tokens;
  const dim3 grid(static_cast<unsigned int>(decode.parts.parts), static_cast<unsigned int>(tokens.kvHeads));
  const std::size_t shared =
      sizeof(float) * (rowsPerBlock + 2 * AttendedRows::keys) * static_cast<std::size_t>(tileStride(tokens.headDim));
  withCacheFormat(decode.attention.cache.format, NumberFormat::float32, [&](auto format) {
    constexpr NumberFormat cacheFormat = decltype(format)::value;
    if constexpr (hasGroupScales(cacheFormat) || cacheFormat == NumberFormat::float32) {
      launch(attendDecodeFloatKernel<cacheFormat>, grid, dim3(threads), shared, stream, decode);
    }
  });
}

}  // namespace locret
