#include "layers/choose-highest.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/ordered-key.cuh"
#include "device/warp.cuh"

#include <cstdint>
#include <string>

namespace locret {
namespace {

constexpr int threads = 256;
/** Blocks that share a row. */
constexpr int shares = 64;
constexpr unsigned long long notANumber = ~0ull;

/** Orders logits, equal ones by falling index, as whole numbers; a NaN is higher than everything. */
__device__ unsigned long long candidate(float logit, int index) {
  const std::uint32_t bits = __float_as_uint(logit);
  if (isNotANumber(bits)) return notANumber;
  return static_cast<unsigned long long>(orderedKey(bits)) << 32 | (0x7fffffffu - static_cast<std::uint32_t>(index));
}

/** Grid `[shares, rows]`: the highest candidate of each share of a row. */
__global__ void __launch_bounds__(threads) findHighestKernel(ChooseHighest choice) {
  const int thread = static_cast<int>(threadIdx.x);
  const float* logits = choice.logits + static_cast<std::size_t>(blockIdx.y) * choice.vocabulary;
  unsigned long long highest = 0;
  for (int index = static_cast<int>(blockIdx.x) * threads + thread; index < choice.vocabulary;
       index += shares * threads) {
    const unsigned long long own = candidate(logits[index], index);
    if (own > highest) highest = own;
  }
  highest = blockMaximum<threads>(highest);
  if (thread != 0) return;
  static_cast<unsigned long long*>(choice.scratch)[static_cast<std::size_t>(blockIdx.y) * shares + blockIdx.x] =
      highest;
}

/** One warp per row. */
__global__ void __launch_bounds__(lanesPerWarp) chooseAmongKernel(ChooseHighest choice) {
  const unsigned long long* row =
      static_cast<const unsigned long long*>(choice.scratch) + static_cast<std::size_t>(blockIdx.x) * shares;
  unsigned long long highest = 0;
  for (int share = static_cast<int>(threadIdx.x); share < shares; share += lanesPerWarp) {
    if (row[share] > highest) highest = row[share];
  }
  highest = warpMaximum(highest);
  if (threadIdx.x != 0) return;
  const auto index = 0x7fffffffu - static_cast<std::uint32_t>(highest & 0x7fffffffu);
  choice.chosen[blockIdx.x] = highest == notANumber ? -1 : static_cast<std::int32_t>(index);
}

}  // namespace

std::size_t chooseScratchBytes(int rows) {
  return static_cast<std::size_t>(rows) * shares * sizeof(unsigned long long);
}

void chooseHighest(const ChooseHighest& choice, cudaStream_t stream) {
  expect(choice.rows >= 1 && choice.rows <= 65535 && choice.vocabulary >= 1,
         "Cannot choose among " + std::to_string(choice.vocabulary) + " logits in " + std::to_string(choice.rows) +
             " rows; expected at least one logit and 1 to 65535 rows.");
  const auto rows = static_cast<unsigned>(choice.rows);
  launch(findHighestKernel, dim3(shares, rows), threads, 0, stream, choice);
  launch(chooseAmongKernel, rows, lanesPerWarp, 0, stream, choice);
}

}  // namespace locret
