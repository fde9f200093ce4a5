#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/device-memory.h"
#include "device/stream.h"
#include "engine/attention-record.h"
#include "engine/decode-graph.h"
#include "engine/engine-memory.h"
#include "engine/eviction-pass.h"
#include "engine/layer-pass.h"
#include "engine/model-sizes.h"
#include "engine/pass-timer.h"
#include "engine/weight-loader.h"

namespace locret {

enum class Eviction : std::int32_t { none = 0, betweenChunks = 1, final = 2 };
enum class WantedLogits : std::int32_t { none = 0, last = 1, all = 2 };

/** Where the cache stands; see LocretState. */
struct CacheState {
  std::int32_t length = 0;
  std::int32_t nextTokenIndex = 0;
  std::int32_t evictions = 0;
  bool hasLogits = false;
};

/** What an eviction went by, in host memory of the caller; see LocretDecision. */
struct HostDecision {
  float* ranks;
  float* scores;
  std::int32_t* tokenIndices;
  std::int32_t* kept;
};

/** One pass; see LocretPass. */
struct PassRequest {
  const std::int32_t* tokens;
  std::int32_t count;
  std::int32_t firstTokenIndex;
  Eviction eviction;
  WantedLogits logits;
  float* logitRows;
  std::int32_t observeFrom;
  const float* bonuses;
  const HostDecision* decision;
};

/**
 * A decoder with its retained cache on one device: what locret-cuda.h offers, with exceptions. Every call ends when the
 * device is done; all work is on one stream. After an error with another code than engine-failed it can go on: the
 * cache is as before the call, or (model-corrupt of an eviction) as before the eviction.
 */
class Session {
 public:
  /** @throws Error out-of-memory, model-unsupported, invalid-argument */
  Session(const EngineSizes& sizes, const float* cosine, const float* sine, std::int32_t device);

  /** Makes the session's device the one of this thread; before every other call. */
  void makeCurrent() const;

  void load(const TensorPiece& piece);
  /** Nothing is loaded any more from here on. @throws Error model-corrupt when something is missing */
  void finishLoading();

  const EngineSizes& sizes() const { return sizes_; }
  const CacheState& state() const { return state_; }

  PassTimes pass(const PassRequest& request);
  void step(std::int32_t token, bool observes);

  void copyLastLogits(float* logits);
  std::int32_t likeliest();

  /** @param reach 0: all that a query sees */
  void startObserving(std::int32_t reach);
  /** @param mass per token index, `[nextTokenIndex]` @returns how many tokens were observed */
  std::int32_t observed(double* mass);

  void rewind(const CacheState& mark);
  void clear();
  std::int32_t forget(const std::vector<TokenRange>& ranges);

  void exportLayer(std::int32_t layer, const HostLayer& target);
  void importLayer(std::int32_t layer, std::int32_t length, const HostLayer& source);
  /** Makes all imported layers count. */
  void resume(std::int32_t length, std::int32_t nextTokenIndex);
  /** `[layers, kvHeads, length]` */
  void copyTokenIndices(std::int32_t* tokenIndices);

 private:
  void expectLoaded() const;
  void checkRequest(const PassRequest& request) const;
  void checkLayer(std::int32_t layer, std::int32_t length) const;
  /** Where the pass begins, for the device. */
  void setHostState(std::int32_t firstTokenIndex, std::int32_t token);
  bool evicts(const PassRequest& request) const;
  void runModel(const PassRequest& request);
  void runLogits(const PassRequest& request);
  /** Chooses and moves units behind a pass that began with `before` of them. */
  void evict(const PassRequest& request, std::int32_t before);
  /** Copies numbers of slots begin..begin+count-1 of all KV heads, `[layers * kvHeads, capacity]`, side by side. */
  template <typename Number>
  void copySlots(Number* target, const Number* source, std::int32_t begin, std::int32_t count) const;

  const EngineSizes sizes_;
  const std::int32_t device_;
  Stream stream_;
  EngineMemory memory_;
  std::unique_ptr<WeightLoader> loader_;
  const LayerPass layers_;
  const EvictionPass eviction_;
  AttentionRecord attention_;
  PassTimer timer_;
  /** What goes to the device before a pass; page-locked, because a graph copies it. */
  PinnedBuffer hostState_;
  DecodeGraph graph_;
  CacheState state_;
};

}  // namespace locret
