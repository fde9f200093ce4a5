#include <cmath>
#include <numeric>

#include "attention/append-units.h"
#include "attention/cache-format.h"
#include "attention/rotate-keys.h"
#include "device/number-formats.h"
#include "test/check/attention-reference.h"
#include "test/check/check.h"

namespace locret::check {
namespace {

constexpr NumberFormat activations[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16};
constexpr int everyHeadDim[] = {16, 32, 64, 80, 96, 128};

/** The format of a cache beside activations: their own, int8 or int4. */
std::vector<NumberFormat> cacheFormatsOf(NumberFormat activation) {
  return {activation, NumberFormat::int8, NumberFormat::int4};
}

std::size_t at(int row, int width) { return static_cast<std::size_t>(row) * static_cast<std::size_t>(width); }

/** A number in units of the step between two codes of its group, as far as the format is quantized. */
double stepOf(const AttentionCase& attention, const std::vector<float>& scales, int kvHead, int slot, int channel) {
  if (!hasGroupScales(attention.sizes().cacheFormat)) return 1;
  const int headDim = attention.sizes().headDim;
  const std::size_t element = at(kvHead * attention.capacity() + slot, headDim) + static_cast<std::size_t>(channel);
  return scales[2 * (element / static_cast<std::size_t>(cacheGroupChannels(headDim)))];
}

std::vector<float> downloadScales(const void* scales, const AttentionCase& attention) {
  const AttentionSizes& sizes = attention.sizes();
  const std::size_t bytes =
      cacheUnitBytes(sizes.cacheFormat, sizes.headDim).keyScales * at(sizes.kvHeads, attention.capacity());
  std::vector<std::byte> host(bytes);
  if (bytes > 0) checkCuda(cudaMemcpy(host.data(), scales, bytes, cudaMemcpyDeviceToHost), "Reading scales");
  return decode(host, NumberFormat::float16);
}

/** Every number is within its rounding of the token's: exact in floating formats, about half a step in codes. */
void checkAppended(Report& report, const AttentionSizes& sizes) {
  const AttentionCase attention(sizes);
  attention.fillCache();
  const std::vector<HostUnit> units = attention.downloadUnits();
  const std::vector<float> keyScales = downloadScales(attention.cache().keyScales, attention);
  const std::vector<float> valueScales = downloadScales(attention.cache().valueScales, attention);
  std::vector<float> differences;
  for (int kvHead = 0; kvHead < sizes.kvHeads; ++kvHead) {
    for (int slot = 0; slot < attention.units(); ++slot) {
      const HostUnit& unit = units[at(kvHead, attention.units()) + static_cast<std::size_t>(slot)];
      const float* key = attention.projection(slot) + at(sizes.heads + kvHead, sizes.headDim);
      const float* value = key + at(sizes.kvHeads, sizes.headDim);
      for (int channel = 0; channel < sizes.headDim; ++channel) {
        const auto index = static_cast<std::size_t>(channel);
        const double expectedKey = key[channel] / attention.channelScale(kvHead, channel);
        differences.push_back(static_cast<float>((unit.key[index] - expectedKey) /
                                                 stepOf(attention, keyScales, kvHead, slot, channel)));
        differences.push_back(static_cast<float>((unit.value[index] - value[channel]) /
                                                 stepOf(attention, valueScales, kvHead, slot, channel)));
      }
    }
  }
  report.compare(sizes.describe(), differences, std::vector<double>(differences.size(), 0.0),
                 hasGroupScales(sizes.cacheFormat) ? 0.7 : 0.0);
}

const Registration append{"attention/append-units", [](Report& report) {
  for (const NumberFormat activation : activations) {
    for (const NumberFormat format : cacheFormatsOf(activation)) {
      for (const int headDim : everyHeadDim) checkAppended(report, {activation, format, 4, 2, headDim, headDim, 3, 6});
      checkAppended(report, {activation, format, 3, 3, 32, 16, 2, 1});
    }
  }
  for (const int headDim : {8, 24}) {
    checkAppended(report, {NumberFormat::float32, NumberFormat::float32, 4, 2, headDim, headDim, 3, 6});
    checkAppended(report, {NumberFormat::float32, NumberFormat::int4, 4, 2, headDim, headDim, 3, 6});
  }
}};

const Registration indices{"attention/append-indices", [](Report& report) {
  const AttentionSizes sizes{NumberFormat::bfloat16, NumberFormat::bfloat16, 4, 2, 16, 16, 3, 4};
  const AttentionCase attention(sizes);
  const DeviceArray<std::int32_t> firstTokenIndex(std::vector<std::int32_t>{70});
  const auto download = [&] {
    std::vector<std::int32_t> indices(at(sizes.kvHeads, attention.capacity()));
    checkCuda(cudaDeviceSynchronize(), "Waiting for the append");
    checkCuda(cudaMemcpy(indices.data(), attention.cache().tokenIndices, indices.size() * sizeof(std::int32_t),
                         cudaMemcpyDeviceToHost),
              "Reading token indices");
    return indices;
  };
  appendUnits({attention.newTokens(), attention.cache(), attention.length(), firstTokenIndex.data()}, nullptr);
  report.same("3 + 4 of capacity 12", download(),
              std::vector<std::int32_t>{-1, -1, -1, 70, 71, 72, 73, -1, -1, -1, -1, -1,
                                        -1, -1, -1, 70, 71, 72, 73, -1, -1, -1, -1, -1});
}};

const Registration calibrate{"attention/calibrate-keys", [](Report& report) {
  for (const NumberFormat activation : activations) {
    const AttentionSizes sizes{activation, NumberFormat::int8, 4, 2, 32, 16, 0, 50};
    const AttentionCase attention(sizes);
    calibrateKeys({attention.firstTokens(50), attention.cache(), sizes.rotaryDim}, nullptr);
    std::vector<float> found(at(2 * sizes.kvHeads, sizes.headDim));
    checkCuda(cudaDeviceSynchronize(), "Waiting for the calibration");
    checkCuda(cudaMemcpy(found.data(), attention.cache().keyChannelScales, found.size() * sizeof(float),
                         cudaMemcpyDeviceToHost),
              "Reading channel scales");
    std::vector<double> expected;
    for (int kvHead = 0; kvHead < sizes.kvHeads; ++kvHead) {
      std::vector<double> means;
      std::vector<double> variances;
      for (int channel = 0; channel < sizes.headDim; ++channel) {
        const auto number = [&](int token) {
          const float* key = attention.projection(token) + at(sizes.heads + kvHead, sizes.headDim);
          return double{key[channel]};
        };
        double mean = 0;
        for (int token = 0; token < sizes.tokens; ++token) mean += number(token) / sizes.tokens;
        double variance = 0;
        for (int token = 0; token < sizes.tokens; ++token) variance += std::pow(number(token) - mean, 2) / sizes.tokens;
        means.push_back(mean);
        variances.push_back(variance);
      }
      const double prior =
          std::accumulate(variances.begin(), variances.end(), 0.0) / static_cast<double>(variances.size());
      std::vector<double> scales;
      for (std::size_t channel = 0; channel < means.size(); ++channel) {
        const std::size_t partner = channel < 8 ? channel + 8 : channel < 16 ? channel - 8 : channel;
        const double own = (variances[channel] + variances[partner]) / 2;
        scales.push_back(std::sqrt((sizes.tokens * own + 16 * prior) / (sizes.tokens + 16)));
      }
      expected.insert(expected.end(), scales.begin(), scales.end());
      for (std::size_t channel = 0; channel < means.size(); ++channel) {
        expected.push_back(means[channel] / scales[channel]);
      }
    }
    report.compare(sizes.describe(), found, expected, 1e-4);
  }
}};

void checkRotated(Report& report, const AttentionSizes& sizes) {
  const AttentionCase attention(sizes);
  attention.fillCache();
  const int capacity = attention.units() + 2;
  const std::size_t numbers = at(sizes.kvHeads * capacity, sizes.headDim);
  const DeviceArray<std::byte> keys(bytesOf(sizes.activation, numbers));
  const DeviceArray<std::byte> values(bytesOf(sizes.activation, hasGroupScales(sizes.cacheFormat) ? numbers : 0));
  rotateKeys({attention.cache(), attention.rope(), keys.data(), values.data(), sizes.activation, capacity,
              attention.units()},
             nullptr);
  const std::vector<float> foundKeys = decode(keys.download(), sizes.activation);
  const std::vector<float> foundValues = decode(values.download(), sizes.activation);
  const std::vector<HostUnit> units = attention.downloadUnits();
  std::vector<float> found;
  std::vector<double> expected;
  bool restUntouched = true;
  for (int kvHead = 0; kvHead < sizes.kvHeads; ++kvHead) {
    for (int slot = 0; slot < capacity; ++slot) {
      const std::size_t place = at(kvHead * capacity + slot, sizes.headDim);
      if (slot >= attention.units()) {
        restUntouched = restUntouched && std::isnan(foundKeys[place]);
        continue;
      }
      const HostUnit& unit = units[at(kvHead, attention.units()) + static_cast<std::size_t>(slot)];
      const std::vector<double> turned = attention.turned(unit.key, slot);
      for (std::size_t channel = 0; channel < turned.size(); ++channel) {
        // Relative to their size, so that one bound fits.
        const double scale = attention.channelScale(kvHead, static_cast<int>(channel));
        const double size = 1 + std::abs(turned[channel] * scale);
        found.push_back(static_cast<float>(foundKeys[place + channel] / size));
        expected.push_back(turned[channel] * scale / size);
        if (!foundValues.empty()) {
          const double valueSize = 1 + std::abs(unit.value[channel]);
          found.push_back(static_cast<float>(foundValues[place + channel] / valueSize));
          expected.push_back(unit.value[channel] / valueSize);
        }
      }
    }
  }
  const double rounding = sizes.activation == NumberFormat::bfloat16  ? 0x1.1p-8
                          : sizes.activation == NumberFormat::float16 ? 0x1.1p-11
                                                                      : 4e-6;
  report.compare(sizes.describe(), found, expected, rounding);
  report.expect(sizes.describe() + ": nothing behind the last unit", restUntouched);
}

const Registration rotate{"attention/rotate-keys", [](Report& report) {
  for (const NumberFormat activation : activations) {
    for (const NumberFormat format : cacheFormatsOf(activation)) {
      for (const int headDim : everyHeadDim) checkRotated(report, {activation, format, 4, 2, headDim, headDim, 30, 5});
      checkRotated(report, {activation, format, 3, 3, 128, 96, 0, 1, 0, 1.19f});
    }
  }
  checkRotated(report, {NumberFormat::float32, NumberFormat::float32, 4, 2, 16, 12, 30, 5});
  checkRotated(report, {NumberFormat::float32, NumberFormat::float32, 4, 2, 8, 8, 30, 5});
}};

const Registration refusals{"attention/cache-refusals", [](Report& report) {
  report.expectError("a head of 48 channels on tensor cores", "model-unsupported",
                     [] { expectHeadDim(NumberFormat::bfloat16, 48); });
  report.expectError("a head of 12 channels", "model-unsupported", [] { expectHeadDim(NumberFormat::float32, 12); });
  report.expectError("a float32 cache beside bfloat16", "invalid-argument",
                     [] { expectCacheFormat(NumberFormat::float32, NumberFormat::bfloat16); });
  const AttentionCase attention({NumberFormat::float32, NumberFormat::int8, 4, 2, 16, 16, 3, 4});
  report.expectError("values of an int8 cache without a place", "invalid-argument", [&] {
    rotateKeys({attention.cache(), attention.rope(), attention.cache().keys, nullptr, NumberFormat::float32, 12, 7},
               nullptr);
  });
  report.expectError("more units than the staging area has room for", "invalid-argument", [&] {
    rotateKeys({attention.cache(), attention.rope(), attention.cache().keys, attention.cache().values,
                NumberFormat::float32, 6, 7},
               nullptr);
  });
}};

}  // namespace
}  // namespace locret::check
