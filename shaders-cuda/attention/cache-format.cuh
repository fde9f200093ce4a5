#pragma once

#include <type_traits>

#include "attention/cache-format.h"
#include "device/number-formats.cuh"

// Reading units of the cache in vectors of eight channels; how they lie there: attention/cache-format.h.

namespace locret {

/** Channels of a vector: what a thread reads at once. */
inline constexpr int vectorChannels = 8;

/** Eight channels as they lie in the cache. */
template <NumberFormat format>
struct alignas(format == NumberFormat::int4   ? 4
               : format == NumberFormat::int8 ? 8
                                              : 16) RawVector {
  static constexpr int wordCount = bitsOf(format) * vectorChannels / 32;
  std::uint32_t words[wordCount];
};

/** Scale and minimum of a group of channels, two float16; not read by formats without. */
struct GroupScale {
  std::uint32_t bits;
};

/** The vector that begins at channel `element` of an array of units. */
template <NumberFormat format>
__device__ __forceinline__ RawVector<format> loadVector(const void* units, std::size_t element) {
  return static_cast<const RawVector<format>*>(units)[element / vectorChannels];
}

/** Of the group that the vector at `element` belongs to; `headDim` decides how large groups are. */
template <NumberFormat format>
__device__ __forceinline__ GroupScale loadGroupScale(const void* scales, std::size_t element, int headDim) {
  if constexpr (hasGroupScales(format)) {
    const auto group = element / static_cast<std::size_t>(cacheGroupChannels(headDim));
    return {static_cast<const std::uint32_t*>(scales)[group]};
  } else {
    return {0};
  }
}

/** The numbers of a vector; of a quantized key without its channels' centers and scales. */
template <NumberFormat format>
__device__ __forceinline__ void decodeVector(const RawVector<format>& raw, GroupScale group,
                                             float (&numbers)[vectorChannels]) {
  if constexpr (format == NumberFormat::float32) {
#pragma unroll
    for (int i = 0; i < vectorChannels; ++i) numbers[i] = __uint_as_float(raw.words[i]);
  } else if constexpr (!hasGroupScales(format)) {
    using Number = std::conditional_t<format == NumberFormat::bfloat16, __nv_bfloat16, __half>;
#pragma unroll
    for (int i = 0; i < vectorChannels / 2; ++i) {
      const float2 pair = unpackPair<Number>(raw.words[i]);
      numbers[2 * i] = pair.x;
      numbers[2 * i + 1] = pair.y;
    }
  } else {
    // 2^23 has a step of 1: a code in its lowest bits makes 2^23 + code, without the slow conversion from integers.
    constexpr std::uint32_t magicBits = 0x4b000000u;
    constexpr float magic = 8388608.0f;
    const float2 scaling = unpackPair<__half>(group.bits);
#pragma unroll
    for (int i = 0; i < vectorChannels; ++i) {
      std::uint32_t bits = 0;
      if constexpr (format == NumberFormat::int8) {
        bits = __byte_perm(raw.words[i / 4], magicBits, 0x7650u | static_cast<unsigned int>(i % 4));
      } else {
        bits = (raw.words[0] >> (4 * i) & 0xfu) | magicBits;
      }
      numbers[i] = fmaf(__uint_as_float(bits) - magic, scaling.x, scaling.y);
    }
  }
}

/** Puts eight numbers into a vector of a floating format. */
template <NumberFormat format>
__device__ __forceinline__ RawVector<format> encodeVector(const float (&numbers)[vectorChannels]) {
  static_assert(!hasGroupScales(format));
  RawVector<format> raw;
  if constexpr (format == NumberFormat::float32) {
#pragma unroll
    for (int i = 0; i < vectorChannels; ++i) raw.words[i] = __float_as_uint(numbers[i]);
  } else {
    using Number = std::conditional_t<format == NumberFormat::bfloat16, __nv_bfloat16, __half>;
#pragma unroll
    for (int i = 0; i < vectorChannels / 2; ++i) raw.words[i] = packPair<Number>(numbers[2 * i], numbers[2 * i + 1]);
  }
  return raw;
}

/** Center and scale of a channel of a KV head, for quantized keys; `channelScales` is `[kvHeads, 2, headDim]`. */
struct KeyChannels {
  const float* scales;
  const float* centers;
};

__device__ __forceinline__ KeyChannels keyChannelsOf(const void* channelScales, int kvHead, int headDim) {
  const float* scales = static_cast<const float*>(channelScales) + static_cast<std::size_t>(2) * kvHead * headDim;
  return {scales, scales + headDim};
}

/** Calls `use(std::integral_constant<NumberFormat, …>{})` with the cache's format, one that goes with `activation`. */
template <class Use>
void withCacheFormat(NumberFormat cache, NumberFormat activation, Use&& use) {
  expectCacheFormat(cache, activation);
  if (cache == NumberFormat::int8) return use(std::integral_constant<NumberFormat, NumberFormat::int8>{});
  if (cache == NumberFormat::int4) return use(std::integral_constant<NumberFormat, NumberFormat::int4>{});
  withFloatType(activation, "The activations' format", [&](auto type) {
    use(std::integral_constant<NumberFormat, formatOf<typename decltype(type)::type>()>{});
  });
}

}  // namespace locret
