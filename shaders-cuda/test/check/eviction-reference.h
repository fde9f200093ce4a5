#pragma once

#include <cstdint>
#include <vector>

#include "eviction/token-ranges.h"

namespace locret::check {

/** What limits one eviction; see RetainLimits in server/engine/eviction.ts. */
struct RetainLimits {
  int budget;
  int pinned;
  int stabilizers;
};

/** What retainTopUnits in server/engine/eviction.ts returns, by sorting. */
std::vector<std::int32_t> unitsThatStay(const std::vector<float>& ranks, const RetainLimits& limits);

/** Token indices and ranks of the units of one KV head. */
struct RankedHead {
  std::vector<std::int32_t> tokenIndices;
  std::vector<float> ranks;
};

/** What forgetTokens in server/engine/evict-units.ts decides: how many units leave, and which slots stay per head. */
struct Forgetting {
  int dropped;
  bool pinnedForgotten;
  std::vector<std::vector<std::int32_t>> kept;
};

Forgetting forgetTokens(const std::vector<RankedHead>& heads, int pinned, const std::vector<TokenRange>& ranges);

}  // namespace locret::check
