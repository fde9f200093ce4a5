#include "test/check/eviction-reference.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace locret::check {

std::vector<std::int32_t> unitsThatStay(const std::vector<float>& ranks, const RetainLimits& limits) {
  const int length = static_cast<int>(ranks.size());
  std::vector<std::int32_t> kept(ranks.size());
  std::iota(kept.begin(), kept.end(), 0);
  if (length <= limits.budget) return kept;

  const auto first = kept.begin() + limits.pinned;
  const auto end = kept.end() - limits.stabilizers;
  const auto chosen = first + (limits.budget - limits.pinned - limits.stabilizers);
  std::sort(first, end, [&](std::int32_t a, std::int32_t b) {
    const float rankA = ranks[static_cast<std::size_t>(a)];
    const float rankB = ranks[static_cast<std::size_t>(b)];
    return rankA != rankB ? rankA > rankB : a > b;
  });
  std::sort(first, chosen);
  kept.erase(chosen, end);
  return kept;
}

Forgetting forgetTokens(const std::vector<RankedHead>& heads, int pinned, const std::vector<TokenRange>& ranges) {
  const auto isForgotten = [&](std::int32_t index) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const TokenRange& range) { return range.begin <= index && index < range.end; });
  };
  Forgetting forgetting{0, false, {}};
  for (const RankedHead& head : heads) {
    const auto& indices = head.tokenIndices;
    forgetting.dropped =
        std::max(forgetting.dropped, static_cast<int>(std::count_if(indices.begin(), indices.end(), isForgotten)));
    const auto pinnedEnd = indices.begin() + std::min(pinned, static_cast<int>(indices.size()));
    if (std::any_of(indices.begin(), pinnedEnd, isForgotten)) forgetting.pinnedForgotten = true;
  }
  const int length = static_cast<int>(heads.front().ranks.size());
  const int budget = length - forgetting.dropped;
  if (forgetting.dropped == 0 || budget == 0) return forgetting;
  const bool pinnedStay = pinned <= budget && !forgetting.pinnedForgotten;
  for (const RankedHead& head : heads) {
    std::vector<float> ranks = head.ranks;
    for (std::size_t slot = 0; slot < ranks.size(); ++slot) {
      if (isForgotten(head.tokenIndices[slot])) ranks[slot] = -std::numeric_limits<float>::infinity();
    }
    forgetting.kept.push_back(unitsThatStay(ranks, {budget, pinnedStay ? pinned : 0, 0}));
  }
  return forgetting;
}

}  // namespace locret::check
