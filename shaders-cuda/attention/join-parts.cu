#include "attention/join-parts.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/warp.cuh"

namespace locret {
namespace {

constexpr int warps = 8;
constexpr int threads = warps * lanesPerWarp;
constexpr float ln2 = 0.6931471805599453f;

/** A block per row and 32 channels; warps share out the parts, lanes the channels. */
template <class Output>
__global__ void __launch_bounds__(threads) joinPartsKernel(JoinParts join) {
  __shared__ float sums[warps][lanesPerWarp];
  const AttentionParts& parts = join.parts;
  const int row = static_cast<int>(blockIdx.x);
  const int lane = laneIndex();
  const int warp = warpIndex();
  const int channel = static_cast<int>(blockIdx.y) * lanesPerWarp + lane;
  const std::size_t rows = static_cast<std::size_t>(parts.rows);
  const auto* stats = reinterpret_cast<const float2*>(parts.sums) + row;

  // Every warp finds the largest logit for itself: the array is short and in the cache.
  float largest = -INFINITY;
  for (int part = lane; part < parts.parts; part += lanesPerWarp) largest = fmaxf(largest, stats[part * rows].x);
  largest = warpMaximum(largest);
  float denominator = 0.0f;
  for (int part = lane; part < parts.parts; part += lanesPerWarp) {
    const float2 stat = stats[part * rows];
    if (stat.y > 0.0f) denominator += exp2Fast(stat.x - largest) * stat.y;
  }
  denominator = warpSum(denominator);

  float sum = 0.0f;
  if (channel < parts.headDim) {
#pragma unroll 4
    for (int part = warp; part < parts.parts; part += warps) {
      const float2 stat = stats[part * rows];
      if (stat.y > 0.0f) {
        const float value = parts.values[(part * rows + row) * static_cast<std::size_t>(parts.headDim) + channel];
        sum = fmaf(exp2Fast(stat.x - largest), value, sum);
      }
    }
  }
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp != 0) return;
#pragma unroll
  for (int other = 1; other < warps; ++other) sum += sums[other][lane];
  if (channel < parts.headDim) {
    static_cast<Output*>(join.output)[row * static_cast<std::size_t>(parts.headDim) + channel] =
        fromFloat<Output>(sum / denominator);
  }
  if (join.logSums != nullptr && blockIdx.y == 0 && lane == 0) {
    const int tokens = parts.rows / join.heads;
    const int token = row / join.heads;
    join.logSums[(row - token * join.heads) * tokens + token] = (largest + log2f(denominator)) * ln2;
  }
}

}  // namespace

std::size_t attentionPartsBytes(std::size_t parts, std::size_t rows, int headDim) {
  return parts * rows * (static_cast<std::size_t>(headDim) + 2) * sizeof(float);
}

AttentionParts attentionParts(void* scratch, int parts, int rows, int headDim) {
  float* values = static_cast<float*>(scratch);
  return {values, values + static_cast<std::size_t>(parts) * rows * headDim, parts, rows, headDim};
}

void joinParts(const JoinParts& join, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned int>(join.parts.rows), blocksFor(join.parts.headDim, lanesPerWarp));
  withFloatType(join.format, "The activations' format", [&](auto type) {
    launch(joinPartsKernel<typename decltype(type)::type>, grid, dim3(threads), 0, stream, join);
  });
}

}  // namespace locret
