#include "eviction/select-units.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/ordered-key.cuh"
#include "device/warp.cuh"

#include <string>

namespace locret {
namespace {

constexpr int warps = 32;
constexpr int threads = warps * lanesPerWarp;
constexpr int digits = 2048;

/** From the highest bits down: three digits, as many values as a histogram in shared memory has room for. */
struct Digit {
  int shift;
  std::uint32_t mask;
};

/** Where a selection of the highest ranks ends. */
struct Threshold {
  /** Ordered key of the lowest rank that stays. */
  std::uint32_t key;
  /** How many units with exactly that rank leave: the oldest. */
  int dropped;
};

struct SharedMemory {
  int histogram[digits];
  int warpSums[warps];
  int warpTies[warps];
  /** The digit that a pass found, the members that are still wanted of it, and the members that it has. */
  std::uint32_t digit;
  int wanted;
  int members;
};

/** Counts the digits of the ranks in begin..end-1 whose higher digits are `prefix`. */
__device__ void countDigits(const float* ranks, int begin, int end, Digit digit, std::uint32_t prefix,
                            std::uint32_t prefixMask, int* histogram) {
  // Scores are crowded: many neighbours share a digit. Adding up runs first keeps the atomics from queueing.
  std::uint32_t run = 0;
  int length = 0;
  for (int slot = begin + static_cast<int>(threadIdx.x); slot < end; slot += threads) {
    const std::uint32_t key = orderedKey(__float_as_uint(ranks[slot]));
    if ((key & prefixMask) != prefix) continue;
    const std::uint32_t value = (key >> digit.shift) & digit.mask;
    if (value == run) {
      ++length;
      continue;
    }
    if (length > 0) atomicAdd(&histogram[run], length);
    run = value;
    length = 1;
  }
  if (length > 0) atomicAdd(&histogram[run], length);
}

/** Finds the digit at which, counted from the highest one down, `wanted` units are reached. */
__device__ void findDigit(SharedMemory& shared, int wanted) {
  const int warp = warpIndex();
  const int high = digits - 1 - 2 * static_cast<int>(threadIdx.x);
  const int highCount = shared.histogram[high];
  const int lowCount = shared.histogram[high - 1];
  const int sum = warpInclusiveSum(highCount + lowCount);
  if (laneIndex() == lanesPerWarp - 1) shared.warpSums[warp] = sum;
  __syncthreads();
  int above = sum - highCount - lowCount;
  for (int other = 0; other < warp; ++other) above += shared.warpSums[other];
  const bool isHigh = above < wanted && wanted <= above + highCount;
  const bool isLow = above + highCount < wanted && wanted <= above + highCount + lowCount;
  if (isHigh || isLow) {
    shared.digit = static_cast<std::uint32_t>(isHigh ? high : high - 1);
    shared.wanted = isHigh ? wanted - above : wanted - above - highCount;
    shared.members = isHigh ? highCount : lowCount;
  }
  __syncthreads();
}

/** The threshold of the `count` highest ranks (1 <= count <= end - begin) among begin..end-1. */
__device__ Threshold findThreshold(const float* ranks, int begin, int end, int count, SharedMemory& shared) {
  constexpr Digit all[] = {{21, 0x7ffu}, {10, 0x7ffu}, {0, 0x3ffu}};
  std::uint32_t prefix = 0;
  std::uint32_t prefixMask = 0;
  int wanted = count;
  for (const Digit digit : all) {
    for (int i = static_cast<int>(threadIdx.x); i < digits; i += threads) shared.histogram[i] = 0;
    __syncthreads();
    countDigits(ranks, begin, end, digit, prefix, prefixMask, shared.histogram);
    __syncthreads();
    findDigit(shared, wanted);
    wanted = shared.wanted;
    prefix |= shared.digit << digit.shift;
    prefixMask |= digit.mask << digit.shift;
  }
  return {prefix, shared.members - wanted};
}

/**
 * Writes the slots in begin..end-1 that stay, ascending. Each warp has a run of slots of its own; how many units stay
 * below it is known from a first pass over all of them.
 */
__device__ void writeKept(const float* ranks, int begin, int end, Threshold threshold, int* kept,
                          SharedMemory& shared) {
  const int lane = laneIndex();
  const int warp = warpIndex();
  const unsigned lanesBelow = (1u << lane) - 1u;
  const int run = (end - begin + threads - 1) / threads * lanesPerWarp;
  const int first = min(end, begin + warp * run);
  const int last = min(end, first + run);

  int higher = 0;
  int ties = 0;
  for (int slot = first + lane; slot < last; slot += lanesPerWarp) {
    const std::uint32_t key = orderedKey(__float_as_uint(ranks[slot]));
    higher += key > threshold.key ? 1 : 0;
    ties += key == threshold.key ? 1 : 0;
  }
  const int higherOfWarp = __reduce_add_sync(allLanes, higher);
  const int tiesOfWarp = __reduce_add_sync(allLanes, ties);
  if (lane == 0) {
    shared.warpSums[warp] = higherOfWarp;
    shared.warpTies[warp] = tiesOfWarp;
  }
  __syncthreads();
  int higherBelow = 0;
  int tiesBelow = 0;
  for (int other = 0; other < warp; ++other) {
    higherBelow += shared.warpSums[other];
    tiesBelow += shared.warpTies[other];
  }

  for (int base = first; base < last; base += lanesPerWarp) {
    const int slot = base + lane;
    const std::uint32_t key = slot < last ? orderedKey(__float_as_uint(ranks[slot])) : 0u;
    const bool isHigher = slot < last && key > threshold.key;
    const bool isTie = slot < last && key == threshold.key;
    const unsigned higherLanes = __ballot_sync(allLanes, isHigher);
    const unsigned tieLanes = __ballot_sync(allLanes, isTie);
    const int ownHigher = higherBelow + __popc(higherLanes & lanesBelow);
    const int ownTies = tiesBelow + __popc(tieLanes & lanesBelow);
    if (isHigher || (isTie && ownTies >= threshold.dropped)) {
      kept[ownHigher + max(0, ownTies - threshold.dropped)] = slot;
    }
    higherBelow += __popc(higherLanes);
    tiesBelow += __popc(tieLanes);
  }
}

/** One block per KV head. */
__global__ void __launch_bounds__(threads) selectUnitsKernel(SelectUnits selection) {
  __shared__ SharedMemory shared;
  const int thread = static_cast<int>(threadIdx.x);
  const int head = static_cast<int>(blockIdx.x);
  const int count = selection.count;
  const float* ranks = selection.ranks + static_cast<std::size_t>(head) * selection.stride;
  int* kept = selection.kept + static_cast<std::size_t>(head) * selection.budget;

  for (int slot = thread; slot < count; slot += threads) {
    if (isNotANumber(__float_as_uint(ranks[slot]))) *selection.invalid = 1;
  }
  if (selection.budget >= count) {
    for (int slot = thread; slot < count; slot += threads) kept[slot] = slot;
    return;
  }

  const int end = count - selection.stabilizers;
  const int chosen = selection.budget - selection.pinned - selection.stabilizers;
  for (int slot = thread; slot < selection.pinned; slot += threads) kept[slot] = slot;
  for (int i = thread; i < selection.stabilizers; i += threads) kept[selection.pinned + chosen + i] = end + i;
  if (chosen == 0) return;
  const Threshold threshold = findThreshold(ranks, selection.pinned, end, chosen, shared);
  writeKept(ranks, selection.pinned, end, threshold, kept + selection.pinned, shared);
}

}  // namespace

void selectUnits(const SelectUnits& selection, cudaStream_t stream) {
  const auto& [ranks, stride, kvHeads, count, budget, pinned, stabilizers, kept, invalid] = selection;
  expect(kvHeads >= 1 && count >= 1 && count <= stride,
         "Units of " + std::to_string(kvHeads) + " KV heads cannot be chosen from " + std::to_string(count) +
             " ranks in rows of " + std::to_string(stride) + "; expected at least one head and 1 to " +
             std::to_string(stride) + " ranks.");
  expect(budget >= 1 && pinned >= 0 && stabilizers >= 0 && pinned <= budget - stabilizers,
         "A budget of " + std::to_string(budget) + " cache units cannot hold " + std::to_string(pinned) +
             " pinned units and " + std::to_string(stabilizers) +
             " stabilizers. Give a budget of at least both together.");
  launch(selectUnitsKernel, static_cast<unsigned>(kvHeads), threads, 0, stream, selection);
}

}  // namespace locret
