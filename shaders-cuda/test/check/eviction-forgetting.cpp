#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "eviction/forget-tokens.h"
#include "eviction/select-units.h"
#include "eviction/token-ranges.h"
#include "test/check/check.h"
#include "test/check/eviction-reference.h"

namespace locret::check {
namespace {

/** What forgetting decides on the device, as the engine goes about it: all heads of a layer at once. */
Forgetting forgetOnDevice(const std::vector<RankedHead>& heads, int capacity, int pinned,
                          const std::vector<TokenRange>& ranges) {
  const int count = static_cast<int>(heads.front().ranks.size());
  const auto kvHeads = static_cast<std::int32_t>(heads.size());
  std::vector<std::int32_t> indices(heads.size() * capacity, 7);
  std::vector<float> ranks(heads.size() * capacity, 0.0f);
  for (std::size_t head = 0; head < heads.size(); ++head) {
    const auto first = static_cast<std::ptrdiff_t>(head * capacity);
    std::copy(heads[head].tokenIndices.begin(), heads[head].tokenIndices.end(), indices.begin() + first);
    std::copy(heads[head].ranks.begin(), heads[head].ranks.end(), ranks.begin() + first);
  }
  std::vector<std::int32_t> begins;
  std::vector<std::int32_t> ends;
  for (const TokenRange& range : mergeRanges(ranges)) {
    begins.push_back(range.begin);
    ends.push_back(range.end);
  }
  const DeviceArray<std::int32_t> deviceBegins(begins);
  const DeviceArray<std::int32_t> deviceEnds(ends);
  const ForgottenTokens tokens{deviceBegins.data(), deviceEnds.data(), static_cast<std::int32_t>(begins.size())};
  const DeviceArray<std::int32_t> deviceIndices(indices);
  const DeviceArray<float> deviceRanks(ranks);
  const DeviceArray<std::int32_t> found(std::vector<std::int32_t>{0, 0, 0});
  LayerCacheView cache{};
  cache.tokenIndices = deviceIndices.data();
  cache.kvHeads = kvHeads;
  cache.capacity = capacity;
  countForgotten({cache, count, tokens, pinned, found.data(), found.data() + 1}, nullptr);
  const std::vector<std::int32_t> counted = found.download();
  Forgetting forgetting{counted[0], counted[1] != 0, {}};
  const int budget = count - forgetting.dropped;
  if (forgetting.dropped == 0 || budget == 0) return forgetting;

  const DeviceArray<float> lowered(ranks.size());
  lowerForgotten({cache, count, tokens, deviceRanks.data(), lowered.data()}, nullptr);
  const bool pinnedStay = pinned <= budget && !forgetting.pinnedForgotten;
  const DeviceArray<std::int32_t> kept(heads.size() * static_cast<std::size_t>(budget));
  selectUnits({lowered.data(), capacity, kvHeads, count, budget, pinnedStay ? pinned : 0, 0, kept.data(),
               found.data() + 2},
              nullptr);
  const std::vector<std::int32_t> slots = kept.download();
  for (std::size_t head = 0; head < heads.size(); ++head) {
    const auto first = slots.begin() + static_cast<std::ptrdiff_t>(head * budget);
    forgetting.kept.emplace_back(first, first + budget);
  }
  return forgetting;
}

void checkForgetting(Report& report, const std::string& name, const std::vector<RankedHead>& heads, int pinned,
                     const std::vector<TokenRange>& ranges) {
  const int capacity = static_cast<int>(heads.front().ranks.size()) + 5;
  const Forgetting forgetting = forgetOnDevice(heads, capacity, pinned, ranges);
  const Forgetting expected = forgetTokens(heads, pinned, ranges);
  report.expect(name + ": " + std::to_string(expected.dropped) + " of " + std::to_string(heads.front().ranks.size()) +
                    " units leave each head",
                forgetting.dropped == expected.dropped && forgetting.pinnedForgotten == expected.pinnedForgotten &&
                    forgetting.kept == expected.kept);
}

/** Heads that kept different tokens of the same text. */
std::vector<RankedHead> randomHeads(Random& random, int kvHeads, int count, int tokens) {
  std::vector<RankedHead> heads(static_cast<std::size_t>(kvHeads));
  for (RankedHead& head : heads) {
    head.tokenIndices = unitsThatStay(random.normals(static_cast<std::size_t>(tokens)), {count, 4, 0});
    head.ranks = random.normals(static_cast<std::size_t>(count));
    // Ties, and a rank as low as a forgotten unit's.
    for (int i = 0; i < count; i += 3) head.ranks[static_cast<std::size_t>(i)] = 0.5f;
    head.ranks[static_cast<std::size_t>(random.below(count))] = -std::numeric_limits<float>::infinity();
  }
  return heads;
}

const Registration forgetting{"eviction/forgetTokens", [](Report& report) {
  Random random(31);
  for (int round = 0; round < 12; ++round) {
    const int count = 50 + random.below(2000);
    const std::vector<RankedHead> heads = randomHeads(random, 1 + random.below(4), count, 3 * count);
    std::vector<TokenRange> ranges;
    for (int range = 0; range < 1 + round % 5; ++range) {
      const int begin = random.below(3 * count);
      ranges.push_back({begin, begin + random.below(count)});
    }
    checkForgetting(report, "ranges that overlap", heads, round % 3 * 4, ranges);
  }
  const std::vector<RankedHead> heads = randomHeads(random, 3, 300, 900);
  checkForgetting(report, "nothing", heads, 4, {{5000, 6000}});
  checkForgetting(report, "an empty range", heads, 4, {{40, 40}});
  checkForgetting(report, "everything", heads, 4, {{0, 900}});
  checkForgetting(report, "a pinned unit", heads, 4, {{2, 3}, {100, 200}});
  checkForgetting(report, "all but fewer than are pinned", heads, 4, {{1, 900}});
  checkForgetting(report, "ranges that touch", heads, 4, {{200, 300}, {100, 200}, {300, 301}});
}};

const Registration merging{"eviction/mergeRanges", [](Report& report) {
  const auto expectMerged = [&](const std::string& name, std::vector<TokenRange> ranges,
                                const std::vector<TokenRange>& expected) {
    const std::vector<TokenRange> merged = mergeRanges(std::move(ranges));
    report.expect(name, std::equal(merged.begin(), merged.end(), expected.begin(), expected.end(),
                                   [](const TokenRange& a, const TokenRange& b) {
                                     return a.begin == b.begin && a.end == b.end;
                                   }));
  };
  expectMerged("out of order", {{7, 9}, {1, 3}}, {{1, 3}, {7, 9}});
  expectMerged("one within another", {{1, 9}, {2, 4}, {8, 12}}, {{1, 12}});
  expectMerged("touching", {{3, 5}, {1, 3}}, {{1, 5}});
  expectMerged("empty ones", {{4, 4}, {9, 2}, {1, 2}}, {{1, 2}});
  expectMerged("none", {}, {});
}};

}  // namespace
}  // namespace locret::check
