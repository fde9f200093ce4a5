#pragma once

#include <cstdint>
#include <vector>

#include "engine/locret-cuda.h"
#include "test/check/engine-reference.h"

namespace locret::check {

/** Sizes of the cache under check. */
struct CachePlan {
  int budget = 24;
  int chunk = 16;
  int stabilizers = 5;
  int pinned = 2;
  int capacity = 64;
};

/** A small decoder with everything that a family may have. */
DecoderShape shapeOf(int window, HeadInput headInput = HeadInput::queryKeyValue);
DecoderWeights randomWeights(const DecoderShape& shape);
LocretConfig configOf(const DecoderShape& shape, int weightFormat, int cacheFormat, const CachePlan& plan = {});
/** Tokens of the small decoder's vocabulary. */
std::vector<std::int32_t> someTokens(int count, std::uint64_t seed);

/** @throws Error with the word and the text of the failure */
void expectOk(LocretStatus status);

/** An open engine over the C interface, with these weights. */
class EngineUnderCheck {
 public:
  /** @throws Error what the interface fails with */
  EngineUnderCheck(const DecoderShape& shape, const DecoderWeights& weights, const LocretConfig& config,
                   int device = 0);
  ~EngineUnderCheck();
  EngineUnderCheck(const EngineUnderCheck&) = delete;
  EngineUnderCheck& operator=(const EngineUnderCheck&) = delete;

  LocretEngine* get() const { return engine_; }
  const LocretPlan& plan() const { return plan_; }
  LocretState state() const;

  /** Logits of all tokens. @param observeFrom first token whose attention is observed; negative: none */
  std::vector<float> pass(const std::vector<std::int32_t>& tokens, int eviction, int observeFrom = -1) const;
  /** Logits of one token. */
  std::vector<float> step(std::int32_t token) const;
  void rewind(const LocretState& mark) const { expectOk(locretRewind(engine_, &mark)); }
  std::vector<std::int32_t> tokenIndices() const;
  /** Observed attention by token index; its sum is the number of observed tokens, times query heads and layers. */
  std::vector<double> observed() const;

  /** All layers' units, scores and indices, byte by byte. */
  std::vector<unsigned char> exportAll() const;
  void importAll(const std::vector<unsigned char>& all, const LocretState& at) const;

 private:
  template <class Use>
  void eachLayer(int length, Use use) const;
  void loadAll(const DecoderWeights& weights) const;
  void loadLayer(int layer, const DecoderLayer& weights) const;
  void load(LocretTensor tensor, int layer, const std::vector<float>& values, int columns) const;

  DecoderShape shape_;
  LocretConfig config_;
  LocretPlan plan_{};
  LocretEngine* engine_ = nullptr;
};

}  // namespace locret::check
