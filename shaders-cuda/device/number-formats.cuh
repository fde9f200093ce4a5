#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "device/number-formats.h"

// Numbers between memory and registers, several at once; for kernels.

namespace locret {

/** Two 16-bit numbers in a register, `first` in the lower half, as tensor cores take them. */
template <class T>
__device__ __forceinline__ std::uint32_t packPair(float first, float second) {
  static_assert(sizeof(T) == 2);
  std::uint32_t bits = 0;
  if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(first, second);
    std::memcpy(&bits, &pair, sizeof bits);
  } else {
    const __half2 pair = __floats2half2_rn(first, second);
    std::memcpy(&bits, &pair, sizeof bits);
  }
  return bits;
}

/** What packPair packed. */
template <class T>
__device__ __forceinline__ float2 unpackPair(std::uint32_t bits) {
  static_assert(sizeof(T) == 2);
  if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return make_float2(__uint_as_float(bits << 16), __uint_as_float(bits & 0xffff0000u));
  } else {
    __half2 pair;
    std::memcpy(&pair, &bits, sizeof pair);
    return __half22float2(pair);
  }
}

/** `count` numbers that are loaded and stored at once; at most 16 bytes. */
template <class T, int count>
struct alignas(sizeof(T) * count) Vector {
  static_assert(sizeof(T) * count <= 16);
  T values[count];
};

/** How many numbers of T fit in the widest load, 16 bytes. */
template <class T>
inline constexpr int perLoad = 16 / static_cast<int>(sizeof(T));

/** Reads `count` numbers as float32 with one load; `from` must be aligned to their size. */
template <class T, int count>
__device__ __forceinline__ void loadFloats(const T* from, float (&to)[count]) {
  const auto numbers = *reinterpret_cast<const Vector<T, count>*>(from);
#pragma unroll
  for (int index = 0; index < count; ++index) to[index] = toFloat(numbers.values[index]);
}

/** Writes `count` float32 numbers as T with one store; `to` must be aligned to their size. */
template <class T, int count>
__device__ __forceinline__ void storeFloats(T* to, const float (&from)[count]) {
  Vector<T, count> numbers;
#pragma unroll
  for (int index = 0; index < count; ++index) numbers.values[index] = fromFloat<T>(from[index]);
  *reinterpret_cast<Vector<T, count>*>(to) = numbers;
}

/**
 * The code of a number in symmetric quantization: value * inverseScale, rounded to nearest (ties to even), within
 * -limit..limit (127 for int8, 7 for int4). A NaN becomes 0.
 */
__device__ __forceinline__ int quantize(float value, float inverseScale, int limit) {
  const float bound = static_cast<float>(limit);
  const float scaled = value * inverseScale;
  // Comparisons with NaN are false.
  const float limited = scaled >= bound ? bound : (scaled > -bound ? scaled : (scaled <= -bound ? -bound : 0.0f));
  return __float2int_rn(limited);
}

/** Code `index` (0..7) of eight signed 4-bit codes in a register, the first in the lowest bits. */
__device__ __forceinline__ int int4Code(std::uint32_t codes, int index) {
  return static_cast<std::int32_t>(codes << (28 - 4 * index)) >> 28;
}

/** Code `index` (0..3) of four signed 8-bit codes in a register, the first in the lowest bits. */
__device__ __forceinline__ int int8Code(std::uint32_t codes, int index) {
  return static_cast<std::int32_t>(codes << (24 - 8 * index)) >> 24;
}

/** 2 to the power of `value`, to 2 units in the last place; one instruction. exp(x) is exp2Fast(x * log2(e)). */
__device__ __forceinline__ float exp2Fast(float value) {
#if defined(LOCRET_EMULATED)
  return std::exp2(value);
#else
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(value));
  return result;
#endif
}

}  // namespace locret
