#include "eviction/forget-tokens.h"

#include "device/error.h"
#include "device/launch.cuh"

#include <cstddef>
#include <string>

namespace locret {
namespace {

constexpr int threads = 256;

/** Whether a token index lies in one of the ranges. */
__device__ bool isForgotten(const ForgottenTokens& tokens, std::int32_t tokenIndex) {
  int low = 0;
  int high = tokens.ranges;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (tokens.begins[middle] <= tokenIndex) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && tokenIndex < tokens.ends[low - 1];
}

/** One block per KV head. */
__global__ void __launch_bounds__(threads) countForgottenKernel(CountForgotten counting) {
  __shared__ int forgotten;
  if (threadIdx.x == 0) forgotten = 0;
  __syncthreads();
  const std::int32_t* indices =
      counting.cache.tokenIndices + static_cast<std::size_t>(blockIdx.x) * counting.cache.capacity;
  int own = 0;
  for (int slot = static_cast<int>(threadIdx.x); slot < counting.count; slot += threads) {
    if (!isForgotten(counting.tokens, indices[slot])) continue;
    ++own;
    if (slot < counting.pinned) atomicExch(counting.pinnedForgotten, 1);
  }
  if (own > 0) atomicAdd(&forgotten, own);
  __syncthreads();
  if (threadIdx.x == 0 && forgotten > 0) atomicMax(counting.most, forgotten);
}

/** Blocks of `threads` slots, one row of blocks per KV head. */
__global__ void __launch_bounds__(threads) lowerForgottenKernel(LowerForgotten lowering) {
  const int slot = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (slot >= lowering.count) return;
  const std::size_t unit = static_cast<std::size_t>(blockIdx.y) * lowering.cache.capacity + slot;
  const bool leaves = isForgotten(lowering.tokens, lowering.cache.tokenIndices[unit]);
  lowering.lowered[unit] = leaves ? -__int_as_float(0x7f800000) : lowering.ranks[unit];
}

void expectUnits(const LayerCacheView& cache, int count) {
  expect(cache.kvHeads >= 1 && count >= 1 && count <= cache.capacity,
         "Cannot look for forgotten tokens among " + std::to_string(count) + " units of " +
             std::to_string(cache.kvHeads) + " KV heads; expected at least one head and 1 to " +
             std::to_string(cache.capacity) + " units.");
}

}  // namespace

void countForgotten(const CountForgotten& counting, cudaStream_t stream) {
  expectUnits(counting.cache, counting.count);
  launch(countForgottenKernel, static_cast<unsigned>(counting.cache.kvHeads), threads, 0, stream, counting);
}

void lowerForgotten(const LowerForgotten& lowering, cudaStream_t stream) {
  expectUnits(lowering.cache, lowering.count);
  const dim3 grid(blocksFor(lowering.count, threads), static_cast<unsigned>(lowering.cache.kvHeads));
  launch(lowerForgottenKernel, grid, threads, 0, stream, lowering);
}

}  // namespace locret
