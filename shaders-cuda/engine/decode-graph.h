#pragma once

#include <cuda_runtime.h>

#include "device/stream.h"
#include "engine/engine-memory.h"
#include "engine/layer-pass.h"

namespace locret {

/**
 * A decode step as one CUDA graph: the state's copy to the device, the layers, the language head and the choice of the
 * likeliest token. All that changes from step to step is read on the device, so it is recorded once, and once more for
 * each kind of observing. The first step of a kind is run as it is: loading kernels is no work that can be recorded.
 */
class DecodeGraph {
 public:
  /** @param hostState page-locked; copied to the device at the beginning of each step */
  DecodeGraph(EngineMemory& memory, const LayerPass& layers, const PassState* hostState, std::int32_t vocabulary)
      : memory_(memory), layers_(layers), hostState_(hostState), vocabulary_(vocabulary) {}

  /** @param limitedReach whether only units below PassState::reach are observed */
  void launch(bool observes, bool limitedReach, cudaStream_t stream);

 private:
  void run(bool observes, bool limitedReach, cudaStream_t stream) const;

  EngineMemory& memory_;
  const LayerPass& layers_;
  const PassState* hostState_;
  std::int32_t vocabulary_;
  struct Kind {
    bool hasRun = false;
    Graph graph;
  };
  Kind plain_;
  Kind observing_;
  Kind observingLimited_;
};

}  // namespace locret
