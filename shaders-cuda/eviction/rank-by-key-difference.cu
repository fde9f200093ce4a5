#include "eviction/rank-by-key-difference.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/warp.cuh"

#include <string>

namespace locret {
namespace {

constexpr int warps = 8;
constexpr int threads = warps * lanesPerWarp;
constexpr int mostDimensions = 4 * lanesPerWarp;
/** Blocks that add up the directions of one head's keys. */
constexpr int shares = 32;
/** Units that a block ranks. */
constexpr int unitsPerBlock = 128;

/** The four dimensions of a vector that are this lane's; zeros beyond its end. */
struct Part {
  float at[4];
};

template <class T>
__device__ Part loadKey(const RankByKeyDifference& ranking, int head, int unit) {
  Part key{};
  const int headDim = ranking.cache.headDim;
  const int dimension = 4 * laneIndex();
  if (dimension >= headDim) return key;
  const std::size_t first = (static_cast<std::size_t>(head) * ranking.stagingCapacity + unit) * headDim;
  loadFloats(static_cast<const T*>(ranking.keys) + first + dimension, key.at);
  return key;
}

/** The inner product of two vectors that the warp holds. */
__device__ float dot(const Part& a, const Part& b) {
  return warpSum(a.at[0] * b.at[0] + a.at[1] * b.at[1] + a.at[2] * b.at[2] + a.at[3] * b.at[3]);
}

/** Grid `[shares, kvHeads]`: the sum of the directions of every `shares`th run of keys, to `[kvHeads, shares, 128]`. */
template <class T>
__global__ void __launch_bounds__(threads) addDirectionsKernel(RankByKeyDifference ranking) {
  __shared__ float warpSums[warps][mostDimensions];
  const int thread = static_cast<int>(threadIdx.x);
  const int head = static_cast<int>(blockIdx.y);
  float sums[4] = {};
  for (int unit = static_cast<int>(blockIdx.x) * warps + warpIndex(); unit < ranking.count; unit += shares * warps) {
    const Part key = loadKey<T>(ranking, head, unit);
    const float norm = sqrtf(dot(key, key));
    if (norm == 0.0f) continue;
#pragma unroll
    for (int i = 0; i < 4; ++i) sums[i] += key.at[i] / norm;
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) warpSums[warpIndex()][4 * laneIndex() + i] = sums[i];
  __syncthreads();
  if (thread >= mostDimensions) return;
  float sum = 0.0f;
  for (int other = 0; other < warps; ++other) sum += warpSums[other][thread];
  const std::size_t share = static_cast<std::size_t>(head) * shares + blockIdx.x;
  static_cast<float*>(ranking.scratch)[share * mostDimensions + thread] = sum;
}

/** Grid `[count / unitsPerBlock, kvHeads]`. */
template <class T>
__global__ void __launch_bounds__(threads) rankByDirectionKernel(RankByKeyDifference ranking) {
  __shared__ Part anchor[lanesPerWarp];
  const int thread = static_cast<int>(threadIdx.x);
  const int head = static_cast<int>(blockIdx.y);
  if (thread < mostDimensions) {
    const float* sums =
        static_cast<const float*>(ranking.scratch) + static_cast<std::size_t>(head) * shares * mostDimensions;
    float sum = 0.0f;
    for (int share = 0; share < shares; ++share) sum += sums[share * mostDimensions + thread];
    anchor[thread / 4].at[thread % 4] = sum;
  }
  __syncthreads();
  const Part direction = anchor[laneIndex()];
  const float anchorNorm = sqrtf(dot(direction, direction));
  const int first = static_cast<int>(blockIdx.x) * unitsPerBlock;
  const int end = min(first + unitsPerBlock, ranking.count);
  for (int unit = first + warpIndex(); unit < end; unit += warps) {
    const Part key = loadKey<T>(ranking, head, unit);
    const float scale = sqrtf(dot(key, key)) * anchorNorm;
    const float product = dot(key, direction);
    if (laneIndex() == 0) {
      ranking.ranks[static_cast<std::size_t>(head) * ranking.cache.capacity + unit] =
          scale == 0.0f ? 0.0f : -product / scale;
    }
  }
}

}  // namespace

std::size_t keyDifferenceScratchBytes(int kvHeads, int headDim) {
  expect(headDim <= mostDimensions, "A head of " + std::to_string(headDim) + " dimensions cannot be ranked; at most " +
                                        std::to_string(mostDimensions) + " are.");
  return static_cast<std::size_t>(kvHeads) * shares * mostDimensions * sizeof(float);
}

void rankByKeyDifference(const RankByKeyDifference& ranking, cudaStream_t stream) {
  const int kvHeads = ranking.cache.kvHeads;
  const int headDim = ranking.cache.headDim;
  const int most = min(ranking.cache.capacity, ranking.stagingCapacity);
  expect(kvHeads >= 1 && ranking.count >= 1 && ranking.count <= most && headDim >= 4 && headDim <= mostDimensions &&
             headDim % 4 == 0,
         "Cannot rank " + std::to_string(ranking.count) + " keys of " + std::to_string(headDim) + " dimensions in " +
             std::to_string(kvHeads) + " KV heads; expected 1 to " + std::to_string(most) +
             " keys of a multiple of 4 dimensions up to 128.");
  const auto heads = static_cast<unsigned>(kvHeads);
  const unsigned blocks = blocksFor(ranking.count, unitsPerBlock);
  withFloatType(ranking.format, "The staged keys", [&]<class T>(std::type_identity<T>) {
    launch(addDirectionsKernel<T>, dim3(shares, heads), threads, 0, stream, ranking);
    launch(rankByDirectionKernel<T>, dim3(blocks, heads), threads, 0, stream, ranking);
  });
}

}  // namespace locret
