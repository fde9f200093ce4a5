#include "engine/workspace.h"

#include <algorithm>

#include "attention/attend-chunk.h"
#include "attention/attend-decode.h"
#include "attention/attention-mass.h"
#include "device/number-formats.h"
#include "eviction/compact-units.h"
#include "eviction/rank-by-key-difference.h"
#include "eviction/score-units.h"
#include "layers/choose-highest.h"

namespace locret {
namespace {

/** Items of a shape. */
template <typename... Size>
std::size_t count(Size... size) {
  return (static_cast<std::size_t>(size) * ... * 1);
}

}  // namespace

Staging placeStaging(const EngineSizes& sizes, Arena& arena) {
  const ModelSizes& model = sizes.model;
  const Formats& formats = sizes.formats;
  const std::size_t angles = count(sizes.cache.capacity, model.rotaryDim / 2);
  const std::size_t unitBytes = bytesOf(formats.activation, count(model.kvHeads, sizes.cache.capacity, model.headDim));
  Staging staging{};
  staging.cosine = arena.take<float>(angles);
  staging.sine = arena.take<float>(angles);
  staging.keys = arena.takeBytes(unitBytes);
  staging.values = formats.cache == formats.activation ? nullptr : arena.takeBytes(unitBytes);
  return staging;
}

Workspace placeWorkspace(const EngineSizes& sizes, const LayerCacheView& layer, Arena& arena) {
  const ModelSizes& model = sizes.model;
  const CacheSizes& cache = sizes.cache;
  const NumberFormat activation = sizes.formats.activation;
  const std::int32_t chunk = cache.chunk;
  const auto rows = [&](std::int32_t width) { return arena.takeBytes(bytesOf(activation, count(chunk, width))); };
  const std::size_t layerUnits = count(model.kvHeads, cache.capacity);
  const std::size_t units = count(model.layers) * layerUnits;
  const bool evicts = cache.budget != CacheSizes::unlimited;

  Workspace work{};
  work.state = arena.take<PassState>(1);
  work.tokens = arena.take<std::int32_t>(count(chunk));
  work.hidden = arena.take<float>(count(chunk, model.hidden));
  work.normalized = rows(model.hidden);
  work.projected = rows(model.projectedWidth());
  work.attended = rows(model.queryWidth());
  work.addition = arena.take<float>(count(chunk, model.hidden));
  work.gateUp = rows(2 * model.feedForward);
  work.gated = rows(model.feedForward);
  work.logSums = arena.take<float>(count(model.heads, chunk));
  if (model.hasHeads()) {
    work.scoreScratch = arena.takeBytes(scoreScratchBytes(chunk, model.headWidth, activation));
    work.bonuses = arena.take<float>(count(chunk));
  }
  work.chunkScratch = arena.takeBytes(chunkScratchBytes(model.headDim));
  work.decodeScratch =
      arena.takeBytes(decodeScratchBytes(model.heads, model.kvHeads, model.headDim, cache.capacity));
  work.massScratch = arena.takeBytes(massScratchBytes(chunk, model.heads));
  work.attentionSums = arena.take<float>(units);
  work.ranks = arena.take<float>(sizes.policy == Policy::locret ? layerUnits : units);
  work.rankScratch = arena.takeBytes(keyDifferenceScratchBytes(model.kvHeads, model.headDim));
  work.kept = arena.take<std::int32_t>(
      std::max(evicts ? count(model.layers, model.kvHeads, cache.budget) : 0, layerUnits));
  work.compactScratch = arena.takeBytes(compactScratchBytes(layer));
  work.invalid = arena.take<std::int32_t>(1);
  work.forgottenUnits = arena.take<std::int32_t>(1);
  work.pinnedForgotten = arena.take<std::int32_t>(1);
  return work;
}

Logits placeLogits(const EngineSizes& sizes, Arena& arena) {
  Logits logits{};
  logits.rows = std::min(Logits::rowsAtOnce, sizes.cache.chunk);
  logits.values = arena.take<float>(count(logits.rows, sizes.model.vocabulary));
  logits.chosen = arena.take<std::int32_t>(1);
  logits.chooseScratch = arena.takeBytes(chooseScratchBytes(1));
  return logits;
}

}  // namespace locret
