#pragma once

#include <cuda_runtime.h>

// Reductions over the 32 lanes of a warp and over the threads of a block. All of them call these together.

namespace locret {

inline constexpr unsigned int allLanes = 0xffffffffu;
inline constexpr int lanesPerWarp = 32;

/** Sum over groups of `width` neighbouring lanes (a power of two); every lane gets it, all the same bits. */
template <int width = lanesPerWarp, class T>
__device__ __forceinline__ T warpSum(T value) {
#pragma unroll
  for (int distance = width / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(allLanes, value, distance);
  return value;
}

/** Maximum over groups of `width` neighbouring lanes; a NaN is lost. */
template <int width = lanesPerWarp, class T>
__device__ __forceinline__ T warpMaximum(T value) {
#pragma unroll
  for (int distance = width / 2; distance > 0; distance /= 2) {
    const T other = __shfl_xor_sync(allLanes, value, distance);
    value = other > value ? other : value;
  }
  return value;
}

/** The number of the thread within its one-dimensional block's warp. */
__device__ __forceinline__ int laneIndex() { return static_cast<int>(threadIdx.x) % lanesPerWarp; }

/** The number of the warp within its one-dimensional block. */
__device__ __forceinline__ int warpIndex() { return static_cast<int>(threadIdx.x) / lanesPerWarp; }

/**
 * Sum over a one-dimensional block of `threads` threads; every thread gets it. Has two barriers; shared memory of the
 * caller's that was written before may be read after.
 */
template <int threads, class T>
__device__ __forceinline__ T blockSum(T value) {
  static_assert(threads % lanesPerWarp == 0 && threads <= 1024);
  constexpr int warps = threads / lanesPerWarp;
  __shared__ T partial[warps];
  value = warpSum(value);
  if (laneIndex() == 0) partial[warpIndex()] = value;
  __syncthreads();
  T total = partial[0];
#pragma unroll
  for (int warp = 1; warp < warps; ++warp) total += partial[warp];
  __syncthreads();
  return total;
}

/** Maximum over a one-dimensional block of `threads` threads; every thread gets it. Has two barriers. */
template <int threads, class T>
__device__ __forceinline__ T blockMaximum(T value) {
  static_assert(threads % lanesPerWarp == 0 && threads <= 1024);
  constexpr int warps = threads / lanesPerWarp;
  __shared__ T partial[warps];
  value = warpMaximum(value);
  if (laneIndex() == 0) partial[warpIndex()] = value;
  __syncthreads();
  T highest = partial[0];
#pragma unroll
  for (int warp = 1; warp < warps; ++warp) highest = partial[warp] > highest ? partial[warp] : highest;
  __syncthreads();
  return highest;
}

/** Sum of the values of all lanes before this one, plus this one's. */
template <class T>
__device__ __forceinline__ T warpInclusiveSum(T value) {
#pragma unroll
  for (int distance = 1; distance < lanesPerWarp; distance *= 2) {
    const T before = __shfl_up_sync(allLanes, value, static_cast<unsigned int>(distance));
    if (laneIndex() >= distance) value += before;
  }
  return value;
}

}  // namespace locret
