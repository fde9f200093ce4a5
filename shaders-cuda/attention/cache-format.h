#pragma once

#include <cstddef>
#include <cstdint>

#include "device/types.h"

namespace locret {

/** Bytes that one cache unit takes in each array of a LayerCacheView. The scales are 0 unless the format has them. */
struct CacheUnitBytes {
  std::size_t keys;
  std::size_t values;
  std::size_t keyScales;
  std::size_t valueScales;
};

/**
 * How a unit lies in the cache.
 *
 * float32, bfloat16, float16: headDim numbers for the key (before RoPE) and for the value.
 *
 * int8, int4: every group of `cacheGroupChannels(headDim)` channels of a unit has codes 0..255 (one byte each) or 0..15
 * (two per byte, the even channel in the lower half), and two float16 numbers, scale and minimum, `[groups, 2]` per
 * unit in keyScales and valueScales:
 *
 *   value[c] = code[c] · scale + minimum
 *   key[c]   = (code[c] · scale + minimum + center[c]) · channelScale[c]
 *
 * channelScale and center, float32 `[kvHeads, 2, headDim]` in keyChannelScales, are calibrated once (attention/
 * append-units.h). Both channels that RoPE turns into each other have one channelScale, so that a query can be
 * multiplied with it instead of every key.
 *
 * Why so: keys have channels of a large and constant mean and of different spread. KIVI (arXiv 2402.02750, section 4.1)
 * therefore quantizes keys per channel over groups of tokens. Under eviction the tokens of a group are scattered and a
 * table of scales per group grows with the repository. Here everything that belongs to a unit moves with the unit, and
 * what belongs to a channel is constant, so the cache has a fixed size and a unit is never quantized twice. Relative
 * error of attention outputs on the keys of the bundled model (3,072 tokens of source text, 6 layers, calibrated on the
 * first 512 tokens), int8 / int4:
 *
 *   KIVI, per channel over 32 tokens (cannot be kept under eviction)     0.0017 / 0.029
 *   as described above                                                   0.0019 / 0.032
 *   KIVI, per channel over a chunk of 1,024 tokens (the table grows)     0.0026 / 0.046
 *   per unit and group, without channel centers and scales               0.0035 / 0.059
 *   symmetric per unit × channelScale of the largest magnitude           0.0041 / 0.076
 *
 * With six channels per head moved by a constant (as the key bias of qwen2 does) the second row is 0.0025 / 0.042 and
 * the last two 0.017 / 0.27 and 0.010 / 0.18: the centers are what matters. Calibrated on 64 tokens only it is 0.0020 /
 * 0.033. Quantized values alone make 0.0030 / 0.051; symmetric codes would make 0.0035 / 0.063.
 *
 * @throws Error model-unsupported when headDim is not a multiple of 8 from 8 to 128
 */
CacheUnitBytes cacheUnitBytes(NumberFormat format, int headDim);

/** Whether units in this format are codes with a scale and a minimum per group of channels. */
constexpr bool hasGroupScales(NumberFormat format) {
  return format == NumberFormat::int8 || format == NumberFormat::int4;
}

/** Channels that share a scale and a minimum: 32, or 16 or 8 where those do not divide headDim. */
constexpr int cacheGroupChannels(int headDim) { return headDim % 32 == 0 ? 32 : headDim % 16 == 0 ? 16 : 8; }

/** Bytes of keyChannelScales of one layer: 0 unless the format is int8 or int4. */
std::size_t keyChannelScaleBytes(NumberFormat format, int kvHeads, int headDim);

/**
 * @throws Error model-unsupported unless attention runs for heads of this size in these activations: multiples of 8
 * from 8 to 128 in float32, which needs no tensor cores; 16, 32, 64, 80, 96 and 128 in bfloat16 and float16
 */
void expectHeadDim(NumberFormat activation, int headDim);

/** @throws Error invalid-argument unless the cache is in the activations' format, int8 or int4 */
void expectCacheFormat(NumberFormat cache, NumberFormat activation);

}  // namespace locret
