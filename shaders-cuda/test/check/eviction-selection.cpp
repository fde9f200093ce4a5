#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "eviction/select-units.h"
#include "test/check/check.h"
#include "test/check/eviction-reference.h"

namespace locret::check {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Selection {
  std::vector<std::int32_t> kept;
  std::int32_t invalid;
};

/** Chooses among ranks `[kvHeads, stride]`, of which the first `count` of each row count. */
Selection select(const std::vector<float>& ranks, int kvHeads, int count, const RetainLimits& limits) {
  const int stride = static_cast<int>(ranks.size()) / kvHeads;
  const DeviceArray<float> deviceRanks(ranks);
  const DeviceArray<std::int32_t> kept(static_cast<std::size_t>(kvHeads) * limits.budget);
  const DeviceArray<std::int32_t> invalid(std::vector<std::int32_t>{0});
  selectUnits({deviceRanks.data(), stride, kvHeads, count, limits.budget, limits.pinned, limits.stabilizers,
               kept.data(), invalid.data()},
              nullptr);
  return {kept.download(), invalid.download().front()};
}

void checkSelection(Report& report, const std::string& name, const std::vector<float>& ranks, int kvHeads, int count,
                    const RetainLimits& limits) {
  const std::size_t stride = ranks.size() / static_cast<std::size_t>(kvHeads);
  const Selection selection = select(ranks, kvHeads, count, limits);
  std::vector<std::int32_t> expected;
  for (int head = 0; head < kvHeads; ++head) {
    const auto first = ranks.begin() + static_cast<std::ptrdiff_t>(head * stride);
    std::vector<std::int32_t> kept = unitsThatStay({first, first + count}, limits);
    // What lies behind the last slot is not written.
    kept.resize(static_cast<std::size_t>(limits.budget), -1);
    expected.insert(expected.end(), kept.begin(), kept.end());
  }
  const std::string sizes = name + ", " + std::to_string(kvHeads) + " x " + std::to_string(count) + ", budget " +
                            std::to_string(limits.budget) + " (" + std::to_string(limits.pinned) + " + " +
                            std::to_string(limits.stabilizers) + ")";
  report.same(sizes, selection.kept, expected);
  report.expect(sizes + " is valid", selection.invalid == 0);
}

/** Ranks that are hard to tell apart, each kind in its own way. */
float hardRank(Random& random, int kind) {
  constexpr float few[] = {-infinity, -1.5f, -0.0f, 0.0f, 0x1p-149f, -0x1p-149f, 1.5f, infinity};
  switch (kind) {
    case 0:
      return random.normal();
    case 1:
      return few[random.below(8)];
    case 2:
      return 0.25f;
    case 3:
      return -std::abs(random.normal(1e-3f));
    default:
      return 1.0f + static_cast<float>(random.below(5)) * 0x1p-23f;
  }
}

const Registration random{"eviction/selectUnits", [](Report& report) {
  constexpr const char* kinds[] = {"normal", "zeros and infinities", "all equal", "negative", "last bits"};
  Random random(11);
  for (int round = 0; round < 60; ++round) {
    const int kind = round % 5;
    const int kvHeads = 1 + random.below(4);
    const int count = 1 + random.below(round < 40 ? 300 : 6000);
    const int budget = 1 + random.below(count + 2);
    const int pinned = random.below(std::min(budget, count) + 1);
    const int stabilizers = random.below(std::min(budget, count) - pinned + 1);
    std::vector<float> ranks(static_cast<std::size_t>(kvHeads) * (count + random.below(9)));
    for (float& rank : ranks) rank = hardRank(random, kind);
    checkSelection(report, kinds[kind], ranks, kvHeads, count, {budget, pinned, stabilizers});
  }
  const std::vector<float> many = random.normals(40'000);
  checkSelection(report, "many units", many, 1, 40'000, {16'384, 4, 2500});
  checkSelection(report, "many units, few stay", many, 1, 40'000, {1, 0, 0});
  checkSelection(report, "heads of two layers", many, 16, 2500, {1000, 4, 100});
}};

const Registration edges{"eviction/selectUnits-edges", [](Report& report) {
  const std::vector<float> ranks = {3, 1, 2, 2, 1, 3, 2, 0};
  checkSelection(report, "the newer of equals", ranks, 1, 8, {5, 0, 0});
  checkSelection(report, "only exempt units", ranks, 1, 8, {5, 2, 3});
  checkSelection(report, "all but one", ranks, 1, 8, {7, 1, 1});
  checkSelection(report, "as many as stay", ranks, 1, 8, {8, 0, 0});
  checkSelection(report, "fewer than stay", ranks, 1, 8, {12, 4, 4});
  checkSelection(report, "one unit", {-infinity}, 1, 1, {1, 0, 0});
  checkSelection(report, "-0 and 0 are equal", {0.0f, -0.0f, 0.0f, -0.0f}, 1, 4, {2, 0, 0});
  checkSelection(report, "-0 is not below 0", {-0.0f, 0.0f, -1.0f}, 1, 3, {2, 0, 0});

  constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();
  for (const int slot : {0, 3, 7}) {
    for (const float rank : {notANumber, -notANumber}) {
      for (const int budget : {5, 8}) {
        std::vector<float> withNaN = ranks;
        withNaN[static_cast<std::size_t>(slot)] = rank;
        const Selection selection = select(withNaN, 1, 8, {budget, 1, 1});
        const std::string name = "a NaN in slot " + std::to_string(slot) + " of 8, budget " + std::to_string(budget);
        report.expect(name, selection.invalid == 1);
        // Compaction must stay within the cache even then.
        report.expect(name + ": ascending slots",
                      std::is_sorted(selection.kept.begin(), selection.kept.end()) && selection.kept.front() >= 0 &&
                          selection.kept.back() < 8);
      }
    }
  }
  for (const RetainLimits& limits : {RetainLimits{4, 3, 2}, RetainLimits{0, 0, 0}, RetainLimits{4, -1, 0}}) {
    report.expectError("budget " + std::to_string(limits.budget) + " for " + std::to_string(limits.pinned) + " + " +
                           std::to_string(limits.stabilizers),
                       "invalid-argument", [&] { select(ranks, 1, 8, limits); });
  }
  report.expectError("more units than ranks", "invalid-argument", [&] { select(ranks, 1, 9, {4, 0, 0}); });
}};

}  // namespace
}  // namespace locret::check
