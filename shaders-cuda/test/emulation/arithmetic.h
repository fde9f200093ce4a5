#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "test/emulation/include/vector_types.h"

// CUDA's arithmetic functions that C++ does not have. Fast approximations are computed exactly here.

using std::max;
using std::min;

inline float __uint_as_float(unsigned int bits) { return std::bit_cast<float>(bits); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }
inline unsigned int __float_as_uint(float value) { return std::bit_cast<unsigned int>(value); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }

inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
inline float __frsqrt_rn(float value) { return 1.0f / std::sqrt(value); }
inline float __fsqrt_rn(float value) { return std::sqrt(value); }
inline float __frcp_rn(float value) { return 1.0f / value; }
inline float __fdividef(float numerator, float denominator) { return numerator / denominator; }
inline float fdividef(float numerator, float denominator) { return numerator / denominator; }
inline float __fdiv_rn(float numerator, float denominator) { return numerator / denominator; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __expf(float value) { return std::exp(value); }
inline float __logf(float value) { return std::log(value); }
inline float __log2f(float value) { return std::log2(value); }
inline float __sinf(float value) { return std::sin(value); }
inline float __cosf(float value) { return std::cos(value); }
inline float __saturatef(float value) { return value >= 0.0f ? std::min(value, 1.0f) : 0.0f; }

#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
#pragma GCC pop_options

inline int __float2int_rn(float value) { return static_cast<int>(std::nearbyint(value)); }
inline int __float2int_rz(float value) { return static_cast<int>(value); }
inline int __float2int_rd(float value) { return static_cast<int>(std::floor(value)); }
inline int __float2int_ru(float value) { return static_cast<int>(std::ceil(value)); }
inline unsigned int __float2uint_rn(float value) { return static_cast<unsigned int>(std::nearbyint(value)); }
inline float __int2float_rn(int value) { return static_cast<float>(value); }
inline float __uint2float_rn(unsigned int value) { return static_cast<float>(value); }

inline int __popc(unsigned int bits) { return std::popcount(bits); }
inline int __popcll(unsigned long long bits) { return std::popcount(bits); }
inline int __clz(int bits) { return std::countl_zero(static_cast<unsigned int>(bits)); }
inline int __clzll(long long bits) { return std::countl_zero(static_cast<unsigned long long>(bits)); }
inline int __ffs(int bits) { return bits == 0 ? 0 : std::countr_zero(static_cast<unsigned int>(bits)) + 1; }

inline unsigned int __brev(unsigned int bits) {
  unsigned int reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= (bits >> bit & 1u) << (31 - bit);
  return reversed;
}

/** Chooses four of the eight bytes of `low` and `high`; the selector's digit of a byte with 8 set gives its sign. */
inline unsigned int __byte_perm(unsigned int low, unsigned int high, unsigned int selector) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(high) << 32 | low;
  unsigned int result = 0;
  for (int position = 0; position < 4; ++position) {
    const unsigned int choice = selector >> (4 * position) & 0xfu;
    unsigned int value = static_cast<unsigned int>(bytes >> (8 * (choice & 7u))) & 0xffu;
    if ((choice & 8u) != 0) value = (value & 0x80u) != 0 ? 0xffu : 0u;
    result |= value << (8 * position);
  }
  return result;
}

inline unsigned int __funnelshift_l(unsigned int low, unsigned int high, unsigned int shift) {
  return static_cast<unsigned int>(((static_cast<std::uint64_t>(high) << 32 | low) << (shift & 31u)) >> 32);
}

inline unsigned int __funnelshift_r(unsigned int low, unsigned int high, unsigned int shift) {
  return static_cast<unsigned int>((static_cast<std::uint64_t>(high) << 32 | low) >> (shift & 31u));
}

/** c plus the products of four signed bytes. */
inline int __dp4a(int a, int b, int c) {
  for (int byte = 0; byte < 4; ++byte) {
    c += static_cast<signed char>(a >> (8 * byte)) * static_cast<signed char>(b >> (8 * byte));
  }
  return c;
}

inline unsigned int __umulhi(unsigned int a, unsigned int b) {
  return static_cast<unsigned int>(static_cast<std::uint64_t>(a) * b >> 32);
}

/** Loads and stores with a hint for the cache. */
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
T __ldca(const T* address) {
  return *address;
}
template <class T>
void __stcs(T* address, T value) {
  *address = value;
}
template <class T>
void __stcg(T* address, T value) {
  *address = value;
}
