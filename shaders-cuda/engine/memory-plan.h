#pragma once

#include <cstddef>

#include "engine/model-sizes.h"

namespace locret {

/** Bytes of device memory by what they are for: the sizes of the engine's allocations. */
struct MemoryPlan {
  std::size_t weights;
  std::size_t heads;
  std::size_t cache;
  std::size_t staging;
  std::size_t workspace;
  std::size_t logits;
  /** Only while weights are loaded. */
  std::size_t loading;

  std::size_t total() const { return weights + heads + cache + staging + workspace + logits + loading; }
};

/**
 * What an engine of these sizes takes, counted by the functions that lay its memory out.
 * @throws Error what checkSizes throws, and what products and kernels refuse
 */
MemoryPlan planMemory(const EngineSizes& sizes);

}  // namespace locret
