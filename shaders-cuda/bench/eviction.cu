// Scoring and eviction of one layer in the shape of Llama-3.1-8B: 8 KV heads of 128, budget 16,384, d_R = 1,024.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "attention/cache-format.h"
#include "bench/bench.h"
#include "device/device-memory.h"
#include "device/error.h"
#include "device/number-formats.cuh"
#include "eviction/compact-units.h"
#include "eviction/rank-by-key-difference.h"
#include "eviction/score-units.h"
#include "eviction/select-units.h"

namespace locret::bench {
namespace {

constexpr int layers = 32;
constexpr int heads = 32;
constexpr int kvHeads = 8;
constexpr int headDim = 128;
constexpr int headWidth = 1'024;
constexpr int budget = 16'384;
constexpr int pinned = 4;
constexpr int stabilizers = 2'500;
constexpr int chunks[] = {1'024, 3'072};

template <class T>
DeviceBuffer uploaded(const std::vector<T>& values, const std::string& purpose) {
  DeviceBuffer buffer(values.size() * sizeof(T), purpose);
  checkCuda(cudaMemcpy(buffer.data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
            "Copying numbers to measure with");
  return buffer;
}

std::vector<float> normals(std::size_t count, float deviation) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

DeviceBuffer uploadedBfloat16(std::size_t count, float deviation, const std::string& purpose) {
  std::vector<std::uint16_t> bits(count);
  const std::vector<float> values = normals(count, deviation);
  for (std::size_t i = 0; i < count; ++i) {
    const __nv_bfloat16 number = fromFloat<__nv_bfloat16>(values[i]);
    std::memcpy(&bits[i], &number, sizeof number);
  }
  return uploaded(bits, purpose);
}

const Registration scoring{"eviction/scoreUnits", [](Bench& bench) {
  constexpr int inputs = (heads + 2 * kvHeads) * headDim;
  constexpr int capacity = budget + 3'072;
  const DeviceBuffer projected = uploadedBfloat16(std::size_t{3'072} * inputs, 1, "projections");
  const DeviceBuffer first = uploadedBfloat16(std::size_t{headWidth} * inputs, 0.02f, "first layer");
  const DeviceBuffer second = uploaded(normals(std::size_t{kvHeads} * headWidth, 0.02f), "second layer");
  const DeviceBuffer length = uploaded(std::vector<std::int32_t>{budget}, "length");
  const DeviceBuffer scores(std::size_t{kvHeads} * capacity * sizeof(float), "scores");
  const DeviceBuffer scratch(scoreScratchBytes(3'072, headWidth, NumberFormat::bfloat16), "scratch of scores");
  for (const int tokens : {1, 1'024, 3'072}) {
    ScoreUnits arguments{};
    arguments.tokens = {projected.data(), NumberFormat::bfloat16, tokens, heads, kvHeads, headDim};
    arguments.input = HeadInput::queryKeyValue;
    arguments.firstLayer = {NumberFormat::bfloat16, first.data(), nullptr, headWidth, inputs};
    arguments.secondLayer = {NumberFormat::float32, second.data(), nullptr, kvHeads, headWidth};
    arguments.cache.scores = scores.as<float>();
    arguments.cache.kvHeads = kvHeads;
    arguments.cache.capacity = capacity;
    arguments.length = length.as<std::int32_t>();
    arguments.scratch = scratch.data();
    const Work work{.bytes = 2.0 * inputs * (headWidth + tokens) + 4.0 * kvHeads * tokens,
                    .flops = 2.0 * tokens * headWidth * (inputs + kvHeads)};
    bench.measure(std::to_string(tokens) + " tokens", work,
                  [&](cudaStream_t stream) { scoreUnits(arguments, stream); });
  }
}};

const Registration selecting{"eviction/selectUnits", [](Bench& bench) {
  for (const int selected : {kvHeads, layers * kvHeads}) {
    for (const int chunk : chunks) {
      const int count = budget + chunk;
      const DeviceBuffer ranks = uploaded(normals(static_cast<std::size_t>(selected) * count, 1), "ranks");
      const DeviceBuffer kept(std::size_t{budget} * selected * sizeof(std::int32_t), "kept slots");
      const DeviceBuffer invalid = uploaded(std::vector<std::int32_t>{0}, "whether a rank is NaN");
      const SelectUnits arguments{.ranks = ranks.as<float>(),
                                  .stride = count,
                                  .kvHeads = selected,
                                  .count = count,
                                  .budget = budget,
                                  .pinned = pinned,
                                  .stabilizers = stabilizers,
                                  .kept = kept.as<std::int32_t>(),
                                  .invalid = invalid.as<std::int32_t>()};
      bench.measure(std::to_string(selected) + " heads, " + std::to_string(budget) + " of " + std::to_string(count),
                    {.bytes = 4.0 * selected * (count + budget)},
                    [&](cudaStream_t stream) { selectUnits(arguments, stream); });
    }
  }
}};

/** Slots that random ranks keep in each KV head. */
std::vector<std::int32_t> randomlyKept(int count) {
  std::mt19937 random(2);
  std::vector<std::int32_t> kept;
  for (int head = 0; head < kvHeads; ++head) {
    std::vector<std::int32_t> slots(static_cast<std::size_t>(count));
    for (int slot = 0; slot < count; ++slot) slots[static_cast<std::size_t>(slot)] = slot;
    std::shuffle(slots.begin(), slots.end(), random);
    std::sort(slots.begin(), slots.begin() + budget);
    kept.insert(kept.end(), slots.begin(), slots.begin() + budget);
  }
  return kept;
}

const Registration compacting{"eviction/compactUnits", [](Bench& bench) {
  for (const NumberFormat format : {NumberFormat::bfloat16, NumberFormat::int8, NumberFormat::int4}) {
    for (const int chunk : chunks) {
      const int capacity = budget + chunk;
      const std::size_t units = static_cast<std::size_t>(kvHeads) * capacity;
      const CacheUnitBytes bytes = cacheUnitBytes(format, headDim);
      const DeviceBuffer keys(units * bytes.keys, "keys");
      const DeviceBuffer values(units * bytes.values, "values");
      const DeviceBuffer keyScales(units * bytes.keyScales, "scales of keys");
      const DeviceBuffer valueScales(units * bytes.valueScales, "scales of values");
      const DeviceBuffer scores(units * sizeof(float), "scores");
      const DeviceBuffer indices(units * sizeof(std::int32_t), "token indices");
      const DeviceBuffer kept = uploaded(randomlyKept(capacity), "kept slots");
      const LayerCacheView cache{.format = format,
                                 .keys = keys.data(),
                                 .values = values.data(),
                                 .keyScales = keyScales.data(),
                                 .valueScales = valueScales.data(),
                                 .keyChannelScales = nullptr,
                                 .scores = scores.as<float>(),
                                 .tokenIndices = indices.as<std::int32_t>(),
                                 .kvHeads = kvHeads,
                                 .headDim = headDim,
                                 .capacity = capacity};
      const DeviceBuffer scratch(compactScratchBytes(cache), "scratch of a compaction");
      const CompactUnits arguments{cache, kept.as<std::int32_t>(), budget, budget, scratch.data()};
      const double unitBytes =
          static_cast<double>(bytes.keys + bytes.values + bytes.keyScales + bytes.valueScales) + 8.0;
      bench.measure(std::to_string(budget) + " of " + std::to_string(capacity) + " " + nameOf(format),
                    {.bytes = kvHeads * (2.0 * budget * unitBytes + 4.0 * budget)},
                    [&](cudaStream_t stream) { compactUnits(arguments, stream); });
    }
  }
}};

const Registration ranking{"eviction/rankByKeyDifference", [](Bench& bench) {
  for (const int chunk : chunks) {
    const int count = budget + chunk;
    const DeviceBuffer keys =
        uploadedBfloat16(static_cast<std::size_t>(kvHeads) * count * headDim, 1, "rotated keys");
    const DeviceBuffer ranks(static_cast<std::size_t>(kvHeads) * count * sizeof(float), "ranks");
    const DeviceBuffer scratch(keyDifferenceScratchBytes(kvHeads, headDim), "scratch of ranks");
    RankByKeyDifference arguments{};
    arguments.cache.kvHeads = kvHeads;
    arguments.cache.headDim = headDim;
    arguments.cache.capacity = count;
    arguments.keys = keys.data();
    arguments.format = NumberFormat::bfloat16;
    arguments.stagingCapacity = count;
    arguments.count = count;
    arguments.ranks = ranks.as<float>();
    arguments.scratch = scratch.data();
    bench.measure(std::to_string(count) + " keys per head",
                  {.bytes = 1.0 * kvHeads * count * (2 * 2 * headDim + 4)},
                  [&](cudaStream_t stream) { rankByKeyDifference(arguments, stream); });
  }
}};

}  // namespace
}  // namespace locret::bench
