#include "test/check/attention-reference.h"

#include <algorithm>
#include <cmath>

#include "attention/append-units.h"
#include "attention/cache-format.h"
#include "device/number-formats.h"

namespace locret::check {
namespace {

constexpr double minusInfinity = -std::numeric_limits<double>::infinity();

std::size_t at(int row, int width) { return static_cast<std::size_t>(row) * static_cast<std::size_t>(width); }

int tokenWidth(const AttentionSizes& sizes) { return (sizes.heads + 2 * sizes.kvHeads) * sizes.headDim; }

/** Normal numbers; keys have channels of a constant mean, as those of real models. */
std::vector<float> makeProjections(const AttentionSizes& sizes, std::uint64_t seed) {
  Random random(seed);
  const int count = sizes.retained + sizes.tokens;
  std::vector<float> numbers = random.normals(at(count, tokenWidth(sizes)));
  const std::vector<float> means = random.normals(at(sizes.kvHeads, sizes.headDim), 2.0f);
  for (int token = 0; token < count; ++token) {
    float* keys = numbers.data() + at(token, tokenWidth(sizes)) + at(sizes.heads, sizes.headDim);
    for (std::size_t i = 0; i < means.size(); ++i) keys[i] = 0.7f * keys[i] + means[i];
  }
  return roundedTo(numbers, sizes.activation);
}

std::vector<float> makeTable(const AttentionSizes& sizes, int slots, bool sine) {
  std::vector<float> table;
  const int pairs = sizes.rotaryDim / 2;
  for (int slot = 0; slot < slots; ++slot) {
    for (int pair = 0; pair < pairs; ++pair) {
      const double angle = slot * std::pow(10'000.0, -2.0 * pair / sizes.rotaryDim);
      table.push_back(static_cast<float>((sine ? std::sin(angle) : std::cos(angle)) * sizes.ropeFactor));
    }
  }
  return table;
}

/** The numbers of one side of the cache: codes of groups, or floating numbers. */
std::vector<double> decodeSide(NumberFormat format, int headDim, const std::vector<std::byte>& bytes,
                               const std::vector<std::byte>& scales) {
  if (format != NumberFormat::int8 && format != NumberFormat::int4) {
    const std::vector<float> numbers = decode(bytes, format);
    return {numbers.begin(), numbers.end()};
  }
  const std::vector<float> scaling = decode(scales, NumberFormat::float16);
  const auto group = static_cast<std::size_t>(cacheGroupChannels(headDim));
  const std::size_t perByte = format == NumberFormat::int8 ? 1 : 2;
  std::vector<double> numbers(bytes.size() * perByte);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto byte = static_cast<unsigned int>(bytes[i / perByte]);
    const unsigned int code = perByte == 1 ? byte : byte >> (4 * (i % 2)) & 0xfu;
    numbers[i] = code * double{scaling[2 * (i / group)]} + double{scaling[2 * (i / group) + 1]};
  }
  return numbers;
}

}  // namespace

std::string AttentionSizes::describe() const {
  std::string text = std::to_string(retained) + " + " + std::to_string(tokens) + ", " + std::to_string(heads) + "/" +
                     std::to_string(kvHeads) + " x " + std::to_string(headDim) + " " + nameOf(activation);
  if (cacheFormat != activation) text += std::string(" ") + nameOf(cacheFormat);
  if (rotaryDim != headDim) text += " rope " + std::to_string(rotaryDim);
  if (window > 0) text += " window " + std::to_string(window);
  if (ropeFactor != 1.0f) text += " factor";
  return text;
}

AttentionCase::AttentionCase(const AttentionSizes& sizes, std::uint64_t seed)
    : sizes_(sizes),
      projections_(makeProjections(sizes, seed)),
      cosine_(makeTable(sizes, capacity(), false)),
      sine_(makeTable(sizes, capacity(), true)),
      deviceProjections_(encode(projections_, sizes.activation)),
      deviceCosine_(cosine_),
      deviceSine_(sine_),
      keys_(at(sizes.kvHeads, capacity()) * cacheUnitBytes(sizes.cacheFormat, sizes.headDim).keys),
      values_(at(sizes.kvHeads, capacity()) * cacheUnitBytes(sizes.cacheFormat, sizes.headDim).values),
      keyScales_(at(sizes.kvHeads, capacity()) * cacheUnitBytes(sizes.cacheFormat, sizes.headDim).keyScales),
      valueScales_(at(sizes.kvHeads, capacity()) * cacheUnitBytes(sizes.cacheFormat, sizes.headDim).valueScales),
      channelScales_(keyChannelScaleBytes(sizes.cacheFormat, sizes.kvHeads, sizes.headDim) / sizeof(float)),
      scores_(at(sizes.kvHeads, capacity())),
      tokenIndices_(at(sizes.kvHeads, capacity())),
      length_(std::vector<std::int32_t>{sizes.retained}),
      zero_(std::vector<std::int32_t>{0}) {}

const float* AttentionCase::projection(int token) const { return projections_.data() + at(token, tokenWidth(sizes_)); }

ProjectedTokens AttentionCase::firstTokens(int count) const {
  return {deviceProjections_.data(), sizes_.activation, count, sizes_.heads, sizes_.kvHeads, sizes_.headDim};
}

ProjectedTokens AttentionCase::newTokens() const {
  ProjectedTokens tokens = firstTokens(sizes_.tokens);
  tokens.values = deviceProjections_.data() + bytesOf(sizes_.activation, at(sizes_.retained, tokenWidth(sizes_)));
  return tokens;
}

LayerCacheView AttentionCase::cache() const {
  return {sizes_.cacheFormat,  keys_.data(),          values_.data(), keyScales_.data(),
          valueScales_.data(), channelScales_.data(), scores_.data(), tokenIndices_.data(),
          sizes_.kvHeads,      sizes_.headDim,        capacity()};
}

RopeTable AttentionCase::rope() const { return {deviceCosine_.data(), deviceSine_.data(), sizes_.rotaryDim}; }

void AttentionCase::fillCache() const {
  calibrateKeys({firstTokens(units()), cache(), sizes_.rotaryDim}, nullptr);
  if (sizes_.retained > 0) appendUnits({firstTokens(sizes_.retained), cache(), zero_.data(), zero_.data()}, nullptr);
  appendUnits({newTokens(), cache(), length_.data(), length_.data()}, nullptr);
}

double AttentionCase::rounded(double number) const {
  switch (sizes_.activation) {
    case NumberFormat::bfloat16:
      return toFloat(fromFloat<__nv_bfloat16>(static_cast<float>(number)));
    case NumberFormat::float16:
      return toFloat(fromFloat<__half>(static_cast<float>(number)));
    default:
      return number;
  }
}

std::vector<double> AttentionCase::turned(const std::vector<double>& vector, int slot) const {
  std::vector<double> result = vector;
  const auto half = static_cast<std::size_t>(sizes_.rotaryDim / 2);
  for (std::size_t pair = 0; pair < half; ++pair) {
    const std::size_t place = static_cast<std::size_t>(slot) * half + pair;
    const double cosine = cosine_[place];
    const double sine = sine_[place];
    result[pair] = vector[pair] * cosine - vector[pair + half] * sine;
    result[pair + half] = vector[pair + half] * cosine + vector[pair] * sine;
  }
  return result;
}

double AttentionCase::channelScale(int kvHead, int channel) const {
  if (channelScales_.size() == 0) return 1;
  return channelScales_.download()[at(2 * kvHead, sizes_.headDim) + static_cast<std::size_t>(channel)];
}

std::vector<HostUnit> AttentionCase::downloadUnits() const {
  const std::vector<double> keys =
      decodeSide(sizes_.cacheFormat, sizes_.headDim, keys_.download(), keyScales_.download());
  const std::vector<double> values =
      decodeSide(sizes_.cacheFormat, sizes_.headDim, values_.download(), valueScales_.download());
  const std::vector<float> channels = channelScales_.download();
  std::vector<HostUnit> result;
  for (int kvHead = 0; kvHead < sizes_.kvHeads; ++kvHead) {
    for (int slot = 0; slot < units(); ++slot) {
      HostUnit unit;
      for (int channel = 0; channel < sizes_.headDim; ++channel) {
        const std::size_t place = at(kvHead * capacity() + slot, sizes_.headDim) + static_cast<std::size_t>(channel);
        const double center =
            channels.empty() ? 0.0 : channels[at(2 * kvHead + 1, sizes_.headDim) + static_cast<std::size_t>(channel)];
        unit.key.push_back(keys[place] + center);
        unit.value.push_back(values[place]);
      }
      result.push_back(std::move(unit));
    }
  }
  return result;
}

float AttentionCase::scale() const { return 1.0f / std::sqrt(static_cast<float>(sizes_.headDim)); }

ExpectedAttention AttentionCase::expected(bool scalesInQuery, int firstObserved, int reach) const {
  const auto headDim = static_cast<std::size_t>(sizes_.headDim);
  const int group = sizes_.heads / sizes_.kvHeads;
  std::vector<HostUnit> all = downloadUnits();
  std::vector<double> channelScales;
  for (int kvHead = 0; kvHead < sizes_.kvHeads; ++kvHead) {
    for (int channel = 0; channel < sizes_.headDim; ++channel) channelScales.push_back(channelScale(kvHead, channel));
  }
  for (std::size_t index = 0; index < all.size(); ++index) {
    const int kvHead = static_cast<int>(index) / units();
    HostUnit& unit = all[index];
    unit.key = turned(unit.key, static_cast<int>(index) % units());
    for (std::size_t channel = 0; channel < headDim; ++channel) {
      const double channelFactor = scalesInQuery ? 1.0 : channelScales[at(kvHead, sizes_.headDim) + channel];
      unit.key[channel] = rounded(unit.key[channel] * channelFactor);
      unit.value[channel] = rounded(unit.value[channel]);
    }
  }

  ExpectedAttention result;
  result.output.assign(at(sizes_.tokens * sizes_.heads, sizes_.headDim), 0.0);
  result.logSums.assign(at(sizes_.heads, sizes_.tokens), 0.0);
  result.mass.assign(at(sizes_.kvHeads, units()), 0.0);
  for (int token = 0; token < sizes_.tokens; ++token) {
    const int slot = sizes_.retained + token;
    for (int head = 0; head < sizes_.heads; ++head) {
      const int kvHead = head / group;
      const float* numbers = projection(slot) + at(head, sizes_.headDim);
      std::vector<double> query = turned({numbers, numbers + headDim}, slot);
      for (std::size_t channel = 0; channel < headDim; ++channel) {
        const double channelFactor = scalesInQuery ? channelScales[at(kvHead, sizes_.headDim) + channel] : 1.0;
        query[channel] = rounded(query[channel] * channelFactor);
      }
      const int begin = sizes_.window > 0 ? std::max(0, slot + 1 - sizes_.window) : 0;
      std::vector<double> logits(static_cast<std::size_t>(units()), minusInfinity);
      double largest = minusInfinity;
      for (int unit = begin; unit <= slot; ++unit) {
        const std::vector<double>& key = all[at(kvHead, units()) + static_cast<std::size_t>(unit)].key;
        double dot = 0;
        for (std::size_t channel = 0; channel < headDim; ++channel) dot += query[channel] * key[channel];
        logits[static_cast<std::size_t>(unit)] = dot * scale();
        largest = std::max(largest, dot * scale());
      }
      double sum = 0;
      double within = 0;
      for (int unit = begin; unit <= slot; ++unit) {
        const double weight = std::exp(logits[static_cast<std::size_t>(unit)] - largest);
        sum += weight;
        if (unit < reach) within += weight;
      }
      for (int unit = begin; unit <= slot; ++unit) {
        const double weight = std::exp(logits[static_cast<std::size_t>(unit)] - largest);
        const HostUnit& seen = all[at(kvHead, units()) + static_cast<std::size_t>(unit)];
        for (std::size_t channel = 0; channel < headDim; ++channel) {
          result.output[at(token * sizes_.heads + head, sizes_.headDim) + channel] +=
              weight / sum * seen.value[channel];
        }
        if (token >= firstObserved && unit < reach) {
          result.mass[at(kvHead, units()) + static_cast<std::size_t>(unit)] += weight / within;
        }
      }
      result.logSums[at(head, sizes_.tokens) + static_cast<std::size_t>(token)] = largest + std::log(sum);
    }
  }
  return result;
}

double AttentionCase::outputBound() const {
  // Of a mean of values that are at most 4 or so: their weights and the mean itself are rounded.
  switch (sizes_.activation) {
    case NumberFormat::bfloat16:
      return 4 * 0x1p-8;
    case NumberFormat::float16:
      return 4 * 0x1p-11;
    default:
      return 2e-5;
  }
}

double AttentionCase::logSumBound() const {
  // A key or query number that lies between two of the format's may be rounded the other way than in float64.
  switch (sizes_.activation) {
    case NumberFormat::bfloat16:
      return 0x1p-9;
    case NumberFormat::float16:
      return 0x1p-12;
    default:
      return 2e-5;
  }
}

}  // namespace locret::check
