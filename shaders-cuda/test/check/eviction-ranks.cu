#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "device/number-formats.cuh"
#include "eviction/rank-by-key-difference.h"
#include "eviction/rank-by-recency.h"
#include "eviction/score-units.h"
#include "test/check/check.h"
#include "test/check/products-reference.h"

namespace locret::check {
namespace {

constexpr NumberFormat activations[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16};

struct KeyDifferenceCase {
  NumberFormat format;
  int kvHeads;
  int headDim;
  int count;
};

/** server/eviction/key-difference.ts for one head. */
std::vector<double> keyDifference(const float* keys, int count, int headDim) {
  std::vector<double> anchor(static_cast<std::size_t>(headDim));
  const auto normOf = [&](const auto* vector) {
    double sum = 0;
    for (int i = 0; i < headDim; ++i) sum += double{vector[i]} * vector[i];
    return std::sqrt(sum);
  };
  for (int unit = 0; unit < count; ++unit) {
    const float* key = keys + static_cast<std::size_t>(unit) * headDim;
    const double norm = normOf(key);
    for (int i = 0; norm > 0 && i < headDim; ++i) anchor[i] += key[i] / norm;
  }
  const double anchorNorm = normOf(anchor.data());
  std::vector<double> ranks;
  for (int unit = 0; unit < count; ++unit) {
    const float* key = keys + static_cast<std::size_t>(unit) * headDim;
    const double scale = normOf(key) * anchorNorm;
    double dot = 0;
    for (int i = 0; i < headDim; ++i) dot += key[i] * anchor[i];
    ranks.push_back(scale == 0 ? 0 : -dot / scale);
  }
  return ranks;
}

void checkKeyDifference(Report& report, const KeyDifferenceCase& shape) {
  Random random(41);
  const int stagingCapacity = shape.count + 2;
  const int capacity = shape.count + 7;
  std::vector<float> keys = random.normals(static_cast<std::size_t>(shape.kvHeads) * stagingCapacity * shape.headDim);
  // A common direction, as keys have, and a key of length 0.
  for (std::size_t i = 0; i < keys.size(); i += static_cast<std::size_t>(shape.headDim)) keys[i] += 2;
  std::fill_n(keys.begin() + shape.headDim * (shape.count / 2), shape.headDim, 0.0f);
  keys = roundedTo(keys, shape.format);
  const DeviceArray<std::byte> staged(encode(keys, shape.format));
  const DeviceArray<float> ranks(static_cast<std::size_t>(shape.kvHeads) * capacity);
  const DeviceArray<std::byte> scratch(keyDifferenceScratchBytes(shape.kvHeads, shape.headDim));
  LayerCacheView cache{};
  cache.kvHeads = shape.kvHeads;
  cache.headDim = shape.headDim;
  cache.capacity = capacity;
  rankByKeyDifference({cache, staged.data(), shape.format, stagingCapacity, shape.count, ranks.data(), scratch.data()},
                      nullptr);
  std::vector<double> expected;
  for (int head = 0; head < shape.kvHeads; ++head) {
    const std::size_t first = static_cast<std::size_t>(head) * stagingCapacity * shape.headDim;
    const std::vector<double> ofHead = keyDifference(&keys[first], shape.count, shape.headDim);
    expected.insert(expected.end(), ofHead.begin(), ofHead.end());
    // What lies behind the units is not written.
    expected.resize(static_cast<std::size_t>(head + 1) * capacity, std::numeric_limits<double>::quiet_NaN());
  }
  report.compare(std::to_string(shape.kvHeads) + " x " + std::to_string(shape.count) + " keys of " +
                     std::to_string(shape.headDim) + " " + nameOf(shape.format),
                 ranks.download(), expected, 2e-6);
}

const Registration keyDifferences{"eviction/rankByKeyDifference", [](Report& report) {
  for (const NumberFormat format : activations) {
    for (const int headDim : {16, 32, 64, 80, 96, 128}) checkKeyDifference(report, {format, 2, headDim, 300});
  }
  for (const int count : {1, 2, 127, 128, 129, 3000})
    checkKeyDifference(report, {NumberFormat::float32, 1, 64, count});
  const DeviceArray<std::byte> none(0);
  report.expectError("more keys than are staged", "invalid-argument", [&] {
    LayerCacheView cache{};
    cache.kvHeads = 1;
    cache.headDim = 64;
    cache.capacity = 8;
    rankByKeyDifference({cache, none.data(), NumberFormat::float32, 4, 5, nullptr, nullptr}, nullptr);
  });
}};

const Registration recency{"eviction/rankByRecency", [](Report& report) {
  for (const int count : {1, 4, 5, 1000}) {
    const int stride = count + 3;
    const DeviceArray<float> ranks(static_cast<std::size_t>(2) * stride);
    rankByRecency({2, stride, count, ranks.data()}, nullptr);
    std::vector<double> expected;
    for (int i = 0; i < 2 * stride; ++i) {
      const int slot = i % stride;
      const double behind = std::numeric_limits<double>::quiet_NaN();
      expected.push_back(slot >= count ? behind : slot < 4 ? std::numeric_limits<double>::infinity() : slot);
    }
    report.compare("2 x " + std::to_string(count), ranks.download(), expected, 0);
  }
}};

struct ScoreCase {
  NumberFormat activation;
  NumberFormat firstLayer;
  NumberFormat secondLayer;
  int tokens;
  int heads;
  int kvHeads;
  int headDim;
  int width;
  HeadInput input;
  /** Every other token gets a bonus. */
  bool bonuses = false;
};

void checkScores(Report& report, const ScoreCase& shape) {
  Random random(51);
  const int inputs =
      shape.input == HeadInput::hidden ? 48 : (shape.heads + 2 * shape.kvHeads) * shape.headDim;
  const int length = 6;
  const int capacity = length + shape.tokens + 4;
  const std::vector<float> input =
      roundedTo(random.normals(static_cast<std::size_t>(shape.tokens) * inputs), shape.activation);
  const float deviation = 1 / std::sqrt(static_cast<float>(inputs));
  const HostWeights first = packOnHost(random.normals(static_cast<std::size_t>(shape.width) * inputs, deviation),
                                       shape.firstLayer, shape.width, inputs);
  const HostWeights second = packOnHost(random.normals(static_cast<std::size_t>(shape.kvHeads) * shape.width),
                                        shape.secondLayer, shape.kvHeads, shape.width);
  const DeviceWeights deviceFirst(first);
  const DeviceWeights deviceSecond(second);
  const DeviceArray<std::byte> deviceInput(encode(input, shape.activation));
  const DeviceArray<std::int32_t> deviceLength(std::vector<std::int32_t>{length});
  const DeviceArray<float> scores(static_cast<std::size_t>(shape.kvHeads) * capacity);
  const DeviceArray<std::byte> scratch(scoreScratchBytes(shape.tokens, shape.width, shape.activation));
  ScoreUnits scoring{};
  scoring.tokens = {deviceInput.data(), shape.activation, shape.tokens, shape.heads, shape.kvHeads, shape.headDim};
  scoring.hidden = deviceInput.data();
  scoring.hiddenWidth = inputs;
  scoring.input = shape.input;
  scoring.firstLayer = deviceFirst.matrix();
  scoring.secondLayer = deviceSecond.matrix();
  scoring.cache.scores = scores.data();
  scoring.cache.kvHeads = shape.kvHeads;
  scoring.cache.capacity = capacity;
  scoring.length = deviceLength.data();
  scoring.scratch = scratch.data();
  constexpr float bonus = 1024;
  std::vector<float> bonuses(static_cast<std::size_t>(shape.tokens));
  for (std::size_t token = 0; shape.bonuses && token < bonuses.size(); token += 2) bonuses[token] = bonus;
  const DeviceArray<float> deviceBonuses(bonuses);
  if (shape.bonuses) scoring.bonuses = deviceBonuses.data();
  scoreUnits(scoring, nullptr);

  std::vector<double> expected(static_cast<std::size_t>(shape.kvHeads) * capacity,
                               std::numeric_limits<double>::quiet_NaN());
  // Roundings of the row between the layers, and of dequantized weights, add up like a random walk.
  double energy = 0;
  for (int token = 0; token < shape.tokens; ++token) {
    std::vector<double> activated;
    for (int row = 0; row < shape.width; ++row) {
      double sum = 0;
      for (int column = 0; column < inputs; ++column)
        sum += double{input[static_cast<std::size_t>(token) * inputs + column]} *
               first.numbers[static_cast<std::size_t>(row) * inputs + column];
      activated.push_back(sum / (1 + std::exp(-sum)));
    }
    for (int head = 0; head < shape.kvHeads; ++head) {
      double score = 0;
      double ofToken = 0;
      for (int row = 0; row < shape.width; ++row) {
        const double part = activated[row] * second.numbers[static_cast<std::size_t>(head) * shape.width + row];
        score += part;
        ofToken += part * part;
      }
      expected[static_cast<std::size_t>(head) * capacity + length + token] =
          score + double{bonuses[static_cast<std::size_t>(token)]};
      energy = std::max(energy, ofToken);
    }
  }
  const double rounding = shape.activation == NumberFormat::float32    ? 0x1p-20
                          : shape.activation == NumberFormat::float16 ? 0x1p-9
                                                                      : 0x1p-6;
  report.compare(std::to_string(shape.tokens) + " x " + std::to_string(inputs) + " -> " + std::to_string(shape.width) +
                     " " + nameOf(shape.firstLayer) + " -> " + std::to_string(shape.kvHeads) + " " +
                     nameOf(shape.secondLayer) + (shape.input == HeadInput::hidden ? " hidden" : "") +
                     (shape.bonuses ? " with bonuses" : ""),
                 scores.download(), expected, rounding * std::sqrt(energy) + (shape.bonuses ? bonus * 0x1p-23 : 0));
}

const Registration scores{"eviction/scoreUnits", [](Report& report) {
  using enum NumberFormat;
  for (const int tokens : {1, 7, 40}) {
    checkScores(report, {float32, float32, float32, tokens, 4, 2, 16, 32, HeadInput::queryKeyValue});
    checkScores(report, {bfloat16, bfloat16, bfloat16, tokens, 4, 2, 32, 256, HeadInput::queryKeyValue});
    checkScores(report, {bfloat16, int8, float32, tokens, 4, 2, 32, 256, HeadInput::queryKeyValue});
    checkScores(report, {bfloat16, int4, bfloat16, tokens, 2, 1, 64, 128, HeadInput::queryKeyValue});
    checkScores(report, {float16, float16, float32, tokens, 4, 4, 16, 64, HeadInput::queryKeyValue});
    checkScores(report, {bfloat16, bfloat16, float32, tokens, 4, 2, 32, 72, HeadInput::hidden});
  }
  for (const NumberFormat format : {float32, bfloat16}) {
    checkScores(report, {format, format, float32, 7, 4, 2, 16, 32, HeadInput::queryKeyValue, true});
  }
  // More KV heads than one walk over a row serves, and a last walk that is not full.
  checkScores(report, {float32, float32, float32, 3, 19, 19, 16, 64, HeadInput::queryKeyValue});
  checkScores(report, {float32, float32, float16, 2, 32, 8, 16, 1024, HeadInput::queryKeyValue});
}};

const Registration scoreRefusals{"eviction/scoreUnits-refusals", [](Report& report) {
  ScoreUnits scoring{};
  scoring.tokens = {nullptr, NumberFormat::float32, 1, 2, 1, 16};
  scoring.cache.kvHeads = 1;
  scoring.cache.capacity = 8;
  scoring.firstLayer = {NumberFormat::float32, nullptr, nullptr, 32, 60};
  scoring.secondLayer = {NumberFormat::float32, nullptr, nullptr, 1, 32};
  report.expectError("heads of another input", "invalid-argument", [&] { scoreUnits(scoring, nullptr); });
  scoring.firstLayer.columns = 64;
  scoring.secondLayer.rows = 2;
  report.expectError("heads of another model", "invalid-argument", [&] { scoreUnits(scoring, nullptr); });
  scoring.secondLayer.rows = 1;
  scoring.secondLayer.format = NumberFormat::int8;
  report.expectError("a quantized second layer", "invalid-argument", [&] { scoreUnits(scoring, nullptr); });
}};

}  // namespace
}  // namespace locret::check
