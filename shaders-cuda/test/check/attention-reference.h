#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/types.h"
#include "test/check/check.h"

namespace locret::check {

/** A layer's attention in small. */
struct AttentionSizes {
  NumberFormat activation = NumberFormat::float32;
  NumberFormat cacheFormat = NumberFormat::float32;
  int heads = 4;
  int kvHeads = 2;
  int headDim = 64;
  int rotaryDim = 64;
  /** Units in the cache, and tokens behind them. */
  int retained = 0;
  int tokens = 1;
  int window = 0;
  /** LongRoPE's attention factor: it is in the table. */
  float ropeFactor = 1.0f;

  std::string describe() const;
};

/** A unit's key before RoPE and its value, as the cache's bytes say; a quantized key apart from its channel scales. */
struct HostUnit {
  std::vector<double> key;
  std::vector<double> value;
};

/** What attention should give. */
struct ExpectedAttention {
  /** `[tokens, heads * headDim]` */
  std::vector<double> output;
  /** `[heads, tokens]` */
  std::vector<double> logSums;
  /** `[kvHeads, retained + tokens]`: probabilities of the observed tokens, summed. */
  std::vector<double> mass;
};

/** Random tokens, a cache on the device that holds them, and attention over it in float64. */
class AttentionCase {
 public:
  explicit AttentionCase(const AttentionSizes& sizes, std::uint64_t seed = 1);

  const AttentionSizes& sizes() const { return sizes_; }
  int units() const { return sizes_.retained + sizes_.tokens; }
  /** A few more units than are used. */
  int capacity() const { return units() + 5; }

  /** The new tokens on the device, without those of the retained units. */
  ProjectedTokens newTokens() const;
  /** The first `count` tokens of all. */
  ProjectedTokens firstTokens(int count) const;
  LayerCacheView cache() const;
  RopeTable rope() const;
  /** `retained`, on the device. */
  const std::int32_t* length() const { return length_.data(); }
  /** Calibrates from all tokens, appends the retained ones, then the new ones. */
  void fillCache() const;

  /** The projection of a token as float32, `[heads | kvHeads | kvHeads]` of headDim. */
  const float* projection(int token) const;
  /** Rounded to the activations' format. */
  double rounded(double number) const;
  /** Turned by RoPE to a slot. */
  std::vector<double> turned(const std::vector<double>& vector, int slot) const;
  /** Channel scale of a KV head's channel; 1 unless the cache is quantized. */
  double channelScale(int kvHead, int channel) const;
  /** The cache's units, `[kvHeads][units]`. */
  std::vector<HostUnit> downloadUnits() const;

  /**
   * Attention of the new tokens with the roundings of the kernels: turned queries and keys are in the activations'
   * format. `scalesInQuery`: channel scales go to the query, as attendDecode does it, instead of to the key.
   */
  ExpectedAttention expected(bool scalesInQuery, int firstObserved = 0, int reach = 1 << 30) const;
  float scale() const;
  /** How far an attention output may be off, for values as large as these. */
  double outputBound() const;
  /** How far a log sum may be off. */
  double logSumBound() const;

 private:
  AttentionSizes sizes_;
  std::vector<float> projections_;
  std::vector<float> cosine_;
  std::vector<float> sine_;
  DeviceArray<std::byte> deviceProjections_;
  DeviceArray<float> deviceCosine_;
  DeviceArray<float> deviceSine_;
  DeviceArray<std::byte> keys_;
  DeviceArray<std::byte> values_;
  DeviceArray<std::byte> keyScales_;
  DeviceArray<std::byte> valueScales_;
  DeviceArray<float> channelScales_;
  DeviceArray<float> scores_;
  DeviceArray<std::int32_t> tokenIndices_;
  DeviceArray<std::int32_t> length_;
  DeviceArray<std::int32_t> zero_;
};

}  // namespace locret::check
