#include <algorithm>
#include <string>
#include <vector>

#include "attention/cache-format.h"
#include "device/number-formats.cuh"
#include "eviction/compact-units.h"
#include "test/check/check.h"
#include "test/check/eviction-reference.h"

namespace locret::check {
namespace {

/** One array of the cache before a compaction, `[kvHeads, capacity]` units of random bytes. */
struct Plane {
  Plane(Random& random, std::size_t unitBytes, int units) : unitBytes(unitBytes), before(unitBytes * units) {
    for (std::byte& byte : before) byte = static_cast<std::byte>(random.bits());
    device.upload(before);
  }

  std::size_t unitBytes;
  std::vector<std::byte> before;
  DeviceArray<std::byte> device{before.size()};
};

struct CompactionCase {
  NumberFormat format;
  int kvHeads;
  int headDim;
  int capacity;
  int count;
  RetainLimits limits;
};

/**
 * Compacts a cache of random bytes and compares every kept unit. Units behind the kept ones may be anything, those
 * behind `count` must be as they were.
 */
void checkCompaction(Report& report, const std::string& name, const CompactionCase& shape,
                     const std::vector<std::vector<std::int32_t>>& kept) {
  Random random(21);
  const CacheUnitBytes bytes = cacheUnitBytes(shape.format, shape.headDim);
  const int units = shape.kvHeads * shape.capacity;
  Plane keys(random, bytes.keys, units);
  Plane values(random, bytes.values, units);
  Plane keyScales(random, bytes.keyScales, units);
  Plane valueScales(random, bytes.valueScales, units);
  Plane scores(random, sizeof(float), units);
  Plane indices(random, sizeof(std::int32_t), units);
  const LayerCacheView cache{.format = shape.format,
                             .keys = keys.device.data(),
                             .values = values.device.data(),
                             .keyScales = keyScales.device.data(),
                             .valueScales = valueScales.device.data(),
                             .keyChannelScales = nullptr,
                             .scores = reinterpret_cast<float*>(scores.device.data()),
                             .tokenIndices = reinterpret_cast<std::int32_t*>(indices.device.data()),
                             .kvHeads = shape.kvHeads,
                             .headDim = shape.headDim,
                             .capacity = shape.capacity};

  const std::size_t keptCount = kept.front().size();
  const std::size_t stride = keptCount + 3;
  std::vector<std::int32_t> rows(static_cast<std::size_t>(shape.kvHeads) * stride, -1);
  for (std::size_t head = 0; head < kept.size(); ++head)
    std::copy(kept[head].begin(), kept[head].end(), rows.begin() + static_cast<std::ptrdiff_t>(head * stride));
  const DeviceArray<std::int32_t> deviceKept(rows);
  const DeviceArray<std::byte> scratch(compactScratchBytes(cache));
  compactUnits({cache, deviceKept.data(), static_cast<std::int32_t>(stride), static_cast<std::int32_t>(keptCount),
                scratch.data()},
               nullptr);

  const Plane* const planes[] = {&keys, &values, &keyScales, &valueScales, &scores, &indices};
  std::size_t differing = 0;
  for (const Plane* plane : planes) {
    const std::vector<std::byte> after = plane->device.download();
    for (int head = 0; head < shape.kvHeads; ++head) {
      const auto same = [&](int slot, int before) {
        const std::size_t first = static_cast<std::size_t>(head) * shape.capacity;
        return std::equal(after.begin() + static_cast<std::ptrdiff_t>((first + slot) * plane->unitBytes),
                          after.begin() + static_cast<std::ptrdiff_t>((first + slot + 1) * plane->unitBytes),
                          plane->before.begin() + static_cast<std::ptrdiff_t>((first + before) * plane->unitBytes));
      };
      for (std::size_t i = 0; i < keptCount; ++i)
        if (!same(static_cast<int>(i), kept[static_cast<std::size_t>(head)][i])) ++differing;
      for (int slot = shape.count; slot < shape.capacity; ++slot)
        if (!same(slot, slot)) ++differing;
    }
  }
  report.expect(name + ", " + std::to_string(shape.kvHeads) + " x " + std::to_string(keptCount) + " of " +
                    std::to_string(shape.count) + ", " + std::to_string(shape.headDim) + " " + nameOf(shape.format),
                differing == 0);
}

/** Units that random ranks keep. */
void checkRandomly(Report& report, Random& random, const CompactionCase& shape) {
  std::vector<std::vector<std::int32_t>> kept;
  for (int head = 0; head < shape.kvHeads; ++head)
    kept.push_back(unitsThatStay(random.normals(static_cast<std::size_t>(shape.count)), shape.limits));
  checkCompaction(report, "at random", shape, kept);
}

std::vector<std::int32_t> slotsFrom(int first, int count) {
  std::vector<std::int32_t> slots;
  for (int i = 0; i < count; ++i) slots.push_back(first + i);
  return slots;
}

constexpr NumberFormat everyFormat[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16,
                                        NumberFormat::int8, NumberFormat::int4};

const Registration compaction{"eviction/compactUnits", [](Report& report) {
  Random random(22);
  for (const NumberFormat format : everyFormat) {
    for (const int headDim : {16, 32, 64, 80, 96, 128})
      checkRandomly(report, random, {format, 2, headDim, 700, 650, {400, 4, 50}});
    checkRandomly(report, random, {format, 3, 64, 5001, 5000, {4000, 0, 0}});
    checkRandomly(report, random, {format, 2, 128, 3000, 2999, {300, 10, 0}});
  }
  checkRandomly(report, random, {NumberFormat::bfloat16, 1, 128, 20'000, 17'408, {16'384, 4, 2500}});

  const CompactionCase shape{NumberFormat::bfloat16, 2, 128, 2000, 2000, {}};
  // Every unit is read from what another tile overwrites; shifts of less than a tile, of a tile, and of many.
  for (const int shift : {1, 63, 128, 1000}) {
    checkCompaction(report, "all moved down by " + std::to_string(shift), shape,
                    {slotsFrom(shift, 2000 - shift), slotsFrom(shift, 2000 - shift)});
  }
  checkCompaction(report, "nothing moves", shape, {slotsFrom(0, 1500), slotsFrom(0, 1500)});
  std::vector<std::int32_t> lateGap = slotsFrom(0, 1400);
  for (const std::int32_t slot : slotsFrom(1500, 100)) lateGap.push_back(slot);
  checkCompaction(report, "a gap late, none in the other head", shape, {lateGap, slotsFrom(0, 1500)});
  checkCompaction(report, "one unit", shape, {{1999}, {0}});
}};

const Registration refusals{"eviction/compactUnits-refusals", [](Report& report) {
  const DeviceArray<float> array(64);
  const LayerCacheView cache{.format = NumberFormat::float32,
                             .keys = array.data(),
                             .values = array.data(),
                             .keyScales = nullptr,
                             .valueScales = nullptr,
                             .keyChannelScales = nullptr,
                             .scores = array.data(),
                             .tokenIndices = nullptr,
                             .kvHeads = 1,
                             .headDim = 16,
                             .capacity = 2};
  const auto compact = [&](const LayerCacheView& view, int keptCount) {
    compactUnits({view, nullptr, 4, keptCount, array.data()}, nullptr);
  };
  report.expectError("no units", "invalid-argument", [&] { compact(cache, 0); });
  report.expectError("more units than the cache holds", "invalid-argument", [&] { compact(cache, 3); });
  LayerCacheView askew = cache;
  askew.scores = array.data() + 1;
  report.expectError("an array that begins askew", "invalid-argument", [&] { compact(askew, 1); });
}};

}  // namespace
}  // namespace locret::check
