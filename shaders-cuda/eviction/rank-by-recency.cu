#include "eviction/rank-by-recency.h"

#include "device/error.h"
#include "device/launch.cuh"

#include <cstddef>
#include <string>

namespace locret {
namespace {

constexpr int threads = 256;
constexpr int sinks = 4;
constexpr int mostExactSlots = 1 << 24;

/** Blocks of `threads` slots, one row of blocks per KV head. */
__global__ void __launch_bounds__(threads) rankByRecencyKernel(RankByRecency ranking) {
  const int slot = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (slot >= ranking.count) return;
  float* ranks = ranking.ranks + static_cast<std::size_t>(blockIdx.y) * ranking.stride;
  ranks[slot] = slot < sinks ? __int_as_float(0x7f800000) : static_cast<float>(slot);
}

}  // namespace

void rankByRecency(const RankByRecency& ranking, cudaStream_t stream) {
  const auto& [kvHeads, stride, count, ranks] = ranking;
  expect(kvHeads >= 1 && count >= 1 && count <= stride && count <= mostExactSlots,
         "Cannot rank " + std::to_string(count) + " units of " + std::to_string(kvHeads) +
             " KV heads; expected at least one head and 1 to " + std::to_string(stride) + " units, at most 2^24.");
  const dim3 grid(blocksFor(count, threads), static_cast<unsigned>(kvHeads));
  launch(rankByRecencyKernel, grid, threads, 0, stream, ranking);
}

}  // namespace locret
