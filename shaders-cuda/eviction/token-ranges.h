#pragma once

#include <cstdint>
#include <vector>

namespace locret {

/** Half-open range of token indices. */
struct TokenRange {
  std::int32_t begin;
  std::int32_t end;
};

/** The same tokens in ranges that are ascending, disjoint and not empty: what a binary search needs. */
std::vector<TokenRange> mergeRanges(std::vector<TokenRange> ranges);

}  // namespace locret
