#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "engine/engine-memory.h"
#include "engine/model-sizes.h"

namespace locret {

/**
 * The attention that was observed: summed per cache unit on the device while units stay where they are, and per token
 * index on the host when they are about to move.
 */
class AttentionRecord {
 public:
  AttentionRecord(const EngineSizes& sizes, EngineMemory& memory) : sizes_(sizes), memory_(memory) {}

  /** @param reach only units below this slot; 0: all */
  void start(std::int32_t reach, cudaStream_t stream);
  std::int32_t reach() const { return reach_; }
  void count(std::int32_t queries) {
    queries_ += queries;
    isOnDevice_ = isOnDevice_ || queries > 0;
  }

  /** Forgets what was observed: the tokens that saw it, or got it, are taken back. */
  void forget(cudaStream_t stream);

  /** Brings what is on the device to the host; to be called while the first `length` units are where they were. */
  void collect(std::int32_t length, cudaStream_t stream);

  /** Adds the collected mass to `mass`, `[tokens]`, and forgets it. @returns how many tokens were observed */
  std::int32_t take(double* mass, std::int32_t tokens);

 private:
  std::size_t sumCount() const;

  const EngineSizes& sizes_;
  EngineMemory& memory_;
  std::int32_t reach_ = 0;
  std::int32_t queries_ = 0;
  /** Whether anything was added up since `collect`. */
  bool isOnDevice_ = false;
  /** By token index. */
  std::vector<double> mass_;
};

}  // namespace locret
