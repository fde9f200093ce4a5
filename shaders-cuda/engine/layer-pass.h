#pragma once

#include <cuda_runtime.h>

#include <functional>

#include "engine/engine-memory.h"
#include "engine/model-sizes.h"
#include "engine/pass-timer.h"

namespace locret {

/** What a pass does beside running the model. */
struct PassOptions {
  /** First token whose attention is added to Workspace::attentionSums; the number of tokens: none. */
  std::int32_t observeFrom;
  /** Only units below PassState::reach get attention. */
  bool limitedReach;
  /** Workspace::bonuses are added to scores. */
  bool addsBonuses;
};

/** What happens in each layer once its units are appended and its keys are staged. */
using AfterAppend = std::function<void(std::int32_t layer)>;

/**
 * The decoder's layers over new tokens, whose units are appended to the cache. Workspace::state and the token ids are
 * on the device before; the residual stream without the last addition is left in Workspace::hidden and ::addition.
 */
class LayerPass {
 public:
  LayerPass(const EngineSizes& sizes, EngineMemory& memory) : sizes_(sizes), memory_(memory) {}

  /**
   * A chunk of prefill behind `retained` units: keys are rotated once per layer, attention is over [retained ‖ new].
   * @param tokens 1 to `chunk`, their ids in Workspace::tokens
   */
  void runChunk(std::int32_t tokens, std::int32_t retained, const PassOptions& options, PassTimer& timer,
                const AfterAppend& afterAppend, cudaStream_t stream) const;

  /** One token, PassState::token, behind as many units as PassState::length says: can be captured. */
  void runStep(const PassOptions& options, cudaStream_t stream) const;

  /**
   * Logits of tokens of the pass: the last addition, the final norm and the language head.
   * @param firstToken of the pass
   * @param count at most Logits::rows
   */
  void runLanguageHead(std::int32_t firstToken, std::int32_t count, cudaStream_t stream) const;

  /**
   * Lets the products of a whole chunk be done by cublasLt where that is there and faster. Intermediate values are
   * overwritten.
   */
  void chooseProducts(cudaStream_t stream) const;

  /** Keys of the first `count` units of a layer into the staging area, as a policy wants to see them. */
  void stageKeys(std::int32_t layer, std::int32_t count, cudaStream_t stream) const;

 private:
  ProjectedTokens projected(std::int32_t tokens) const;
  /** x · Wᵀ from the activations' format to float32 or the activations' format. */
  void product(const void* input, const PlacedMatrix& weight, const float* bias, void* output,
               NumberFormat outputFormat, std::int32_t tokens, cudaStream_t stream) const;
  void normalizeInto(void* output, const float* weight, bool adds, std::int32_t tokens, cudaStream_t stream) const;
  void embedTokens(const std::int32_t* tokens, std::int32_t count, cudaStream_t stream) const;
  void score(std::int32_t layer, std::int32_t tokens, bool addsBonuses, cudaStream_t stream) const;
  /** Projections, scores, head norms and new units: what both kinds of attention begin with. */
  void beginAttention(std::int32_t layer, std::int32_t tokens, const PassOptions& options, PassTimer* timer,
                      bool calibrates, cudaStream_t stream) const;
  void observe(std::int32_t layer, std::int32_t tokens, const PassOptions& options, cudaStream_t stream) const;
  /** Attention's output projection and the feed-forward layer. */
  void endLayer(std::int32_t layer, std::int32_t tokens, cudaStream_t stream) const;
  float attentionScale() const;

  const EngineSizes& sizes_;
  EngineMemory& memory_;
};

}  // namespace locret
