#pragma once

#include <cuda_runtime.h>

#include "device/device-memory.h"
#include "engine/cache.h"
#include "engine/memory-plan.h"
#include "engine/weights.h"
#include "engine/workspace.h"

namespace locret {

/** All device memory of an engine, laid out; what it takes is what planMemory says. */
class EngineMemory {
 public:
  /** @throws Error out-of-memory with the arithmetic */
  explicit EngineMemory(const EngineSizes& sizes);

  const MemoryPlan& plan() const { return plan_; }
  /** The table as the kernels get it. */
  RopeTable rope() const { return {staging.cosine, staging.sine, rotaryDim_}; }

 private:
  // Before what lies in it.
  MemoryPlan plan_;
  std::int32_t rotaryDim_;
  DeviceBuffer weightBuffer_;
  DeviceBuffer headBuffer_;
  DeviceBuffer cacheBuffer_;
  DeviceBuffer stagingBuffer_;
  DeviceBuffer workspaceBuffer_;
  DeviceBuffer logitBuffer_;

 public:
  Weights weights;
  RetainedCache cache;
  Staging staging;
  Workspace work;
  Logits logits;
};

}  // namespace locret
