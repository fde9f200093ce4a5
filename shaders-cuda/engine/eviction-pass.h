#pragma once

#include <cuda_runtime.h>

#include <vector>

#include "engine/engine-memory.h"
#include "engine/layer-pass.h"
#include "engine/model-sizes.h"
#include "eviction/token-ranges.h"

namespace locret {

/** What limits one eviction; see RetainLimits in server/engine/eviction.ts. */
struct EvictionLimits {
  std::int32_t budget;
  std::int32_t pinned;
  std::int32_t stabilizers;
};

/** Ranks the units of all layers, chooses those that stay and moves them together. */
class EvictionPass {
 public:
  EvictionPass(const EngineSizes& sizes, EngineMemory& memory, const LayerPass& layers)
      : sizes_(sizes), memory_(memory), layers_(layers) {}

  /**
   * Ranks a layer's first `count` units where that needs its staged keys; to be called while they are there. Policies
   * whose ranks need no keys do nothing here.
   */
  void rankStagedLayer(std::int32_t layer, std::int32_t count, cudaStream_t stream) const;

  /** Ranks all units that rankStagedLayer did not, and returns ranks, float32 `[layers * kvHeads, capacity]`. */
  const float* rankAll(std::int32_t count, cudaStream_t stream) const;

  /**
   * Chooses for all KV heads of all layers: ascending slots `[layers * kvHeads, budget]` in Workspace::kept.
   * @throws Error model-corrupt when a rank is NaN; the cache is as it was
   */
  void select(const float* ranks, std::int32_t count, const EvictionLimits& limits, cudaStream_t stream) const;

  /** Moves what `select` chose; every KV head then has `kept` units. */
  void compact(std::int32_t kept, cudaStream_t stream) const;

  /**
   * Drops the units of tokens; the decisions of forgetTokens in server/engine/evict-units.ts.
   * @returns units that each KV head gave up
   */
  std::int32_t forget(std::int32_t count, const std::vector<TokenRange>& ranges, cudaStream_t stream) const;

 private:
  void selectHeads(const SelectUnits& selection, cudaStream_t stream) const;
  /** Ranks of one layer, wherever they are kept. */
  const float* rankLayer(std::int32_t layer, std::int32_t count, cudaStream_t stream) const;

  const EngineSizes& sizes_;
  EngineMemory& memory_;
  const LayerPass& layers_;
};

}  // namespace locret
