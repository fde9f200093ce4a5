#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "products/weight-layout.h"

namespace locret {

/** What tensor cores multiply, given the weights' format: quantized weights become bfloat16. */
template <NumberFormat Format>
using TensorOperand = std::conditional_t<Format == NumberFormat::float16, __half, __nv_bfloat16>;

/** Two bfloat16 in a register, the first in the lower half, as `mma` takes them. */
__device__ inline __nv_bfloat162 asPair(std::uint32_t word) {
  __nv_bfloat162 pair;
  std::memcpy(&pair, &word, sizeof(pair));
  return pair;
}

__device__ inline std::uint32_t asWord(__nv_bfloat162 pair) {
  std::uint32_t word;
  std::memcpy(&word, &pair, sizeof(word));
  return word;
}

/** bfloat16 bits as float32. */
__device__ inline float floatOfLowerHalf(std::uint32_t word) {
  return __uint_as_float(word << 16);
}

__device__ inline float floatOfUpperHalf(std::uint32_t word) {
  return __uint_as_float(word & 0xffff0000u);
}

/** The same bfloat16 in both halves: the scale of one of two rows, ready to multiply a pair. */
__device__ inline std::uint32_t lowerHalfTwice(std::uint32_t word) {
  return __byte_perm(word, word, 0x1010);
}

__device__ inline std::uint32_t upperHalfTwice(std::uint32_t word) {
  return __byte_perm(word, word, 0x3232);
}

__device__ inline std::uint32_t multiplyPairs(std::uint32_t first, std::uint32_t second) {
  return asWord(__hmul2(asPair(first), asPair(second)));
}

__device__ inline std::uint32_t subtractPairs(std::uint32_t first, std::uint32_t second) {
  return asWord(__hsub2(asPair(first), asPair(second)));
}

/**
 * Eight codes of int4 as four pairs of bfloat16, exact. A bfloat16 between 128 and 256 has its integer part in its
 * seven bits of mantissa: `0x4300 | code` is 128 + code, from which 136 is subtracted because codes are offset by 8.
 * Eleven instructions for eight weights.
 */
__device__ inline void int4Pairs(std::uint32_t codes, std::uint32_t (&pairs)[4]) {
#pragma unroll
  for (int p = 0; p < 4; ++p)
    pairs[p] = subtractPairs(((codes >> (4 * p)) & 0x000f000fu) | 0x43004300u, 0x43084308u);
}

/**
 * Eight codes of int8 as four pairs of bfloat16, exact. The lower seven bits of a code c are c (or c + 128 when it is
 * negative); they become the mantissa of 128 + c (256 + c). The sign bit falls on the lowest bit of the exponent, where
 * it turns 128 into 256: exactly what is to be subtracted. Seven instructions for four weights.
 */
__device__ inline void int8Pairs(std::uint32_t lowCodes, std::uint32_t highCodes, std::uint32_t (&pairs)[4]) {
#pragma unroll
  for (int p = 0; p < 4; ++p) {
    const std::uint32_t codes = (p < 2 ? lowCodes : highCodes) >> (8 * (p & 1));
    pairs[p] = subtractPairs((codes & 0x007f007fu) | 0x43004300u, (codes & 0x00800080u) | 0x43004300u);
  }
}

}  // namespace locret
