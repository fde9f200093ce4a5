#include "engine/eviction-pass.h"

#include "device/device-memory.h"
#include "device/error.h"
#include "eviction/compact-units.h"
#include "eviction/forget-tokens.h"
#include "eviction/rank-by-key-difference.h"
#include "eviction/rank-by-recency.h"
#include "eviction/select-units.h"

namespace locret {
namespace {

std::int32_t readNumber(const std::int32_t* device, cudaStream_t stream) {
  std::int32_t number = 0;
  checkCuda(cudaMemcpyAsync(&number, device, sizeof number, cudaMemcpyDeviceToHost, stream), "Reading a number");
  checkCuda(cudaStreamSynchronize(stream), "Waiting for the device");
  return number;
}

void clearNumber(std::int32_t* device, cudaStream_t stream) {
  checkCuda(cudaMemsetAsync(device, 0, sizeof(std::int32_t), stream), "Clearing a number");
}

/** Ranges on the device for as long as something is forgotten. */
class RangesOnDevice {
 public:
  RangesOnDevice(const std::vector<TokenRange>& ranges, cudaStream_t stream)
      : count_(static_cast<std::int32_t>(ranges.size())),
        begins_(ranges.size() * sizeof(std::int32_t), "ranges of forgotten tokens"),
        ends_(ranges.size() * sizeof(std::int32_t), "ranges of forgotten tokens") {
    std::vector<std::int32_t> begins;
    std::vector<std::int32_t> ends;
    for (const TokenRange& range : ranges) {
      begins.push_back(range.begin);
      ends.push_back(range.end);
    }
    upload(begins, begins_, stream);
    upload(ends, ends_, stream);
  }

  ForgottenTokens view() const { return {begins_.as<std::int32_t>(), ends_.as<std::int32_t>(), count_}; }

 private:
  static void upload(const std::vector<std::int32_t>& numbers, const DeviceBuffer& target, cudaStream_t stream) {
    checkCuda(cudaMemcpyAsync(target.data(), numbers.data(), numbers.size() * sizeof(std::int32_t),
                              cudaMemcpyHostToDevice, stream),
              "Copying ranges of tokens");
    checkCuda(cudaStreamSynchronize(stream), "Copying ranges of tokens");
  }

  std::int32_t count_;
  DeviceBuffer begins_;
  DeviceBuffer ends_;
};

}  // namespace

void EvictionPass::rankStagedLayer(std::int32_t layer, std::int32_t count, cudaStream_t stream) const {
  if (sizes_.policy != Policy::keyDifference) return;
  const ModelSizes& model = sizes_.model;
  const std::size_t units = static_cast<std::size_t>(model.kvHeads) * static_cast<std::size_t>(sizes_.cache.capacity);
  rankByKeyDifference({.cache = memory_.cache.layer(layer),
                       .keys = memory_.staging.keys,
                       .format = sizes_.formats.activation,
                       .stagingCapacity = sizes_.cache.capacity,
                       .count = count,
                       .ranks = memory_.work.ranks + static_cast<std::size_t>(layer) * units,
                       .scratch = memory_.work.rankScratch},
                      stream);
}

const float* EvictionPass::rankAll(std::int32_t count, cudaStream_t stream) const {
  switch (sizes_.policy) {
    case Policy::locret:
      return memory_.cache.scores();
    case Policy::keyDifference:
      break;
    case Policy::sinkRecent:
      rankByRecency({.kvHeads = sizes_.model.layers * sizes_.model.kvHeads,
                     .stride = sizes_.cache.capacity,
                     .count = count,
                     .ranks = memory_.work.ranks},
                    stream);
      break;
  }
  return memory_.work.ranks;
}

const float* EvictionPass::rankLayer(std::int32_t layer, std::int32_t count, cudaStream_t stream) const {
  const std::size_t before = static_cast<std::size_t>(layer) * static_cast<std::size_t>(sizes_.model.kvHeads) *
                             static_cast<std::size_t>(sizes_.cache.capacity);
  if (sizes_.policy == Policy::keyDifference) {
    layers_.stageKeys(layer, count, stream);
    rankStagedLayer(layer, count, stream);
    return memory_.work.ranks + before;
  }
  return rankAll(count, stream) + before;
}

void EvictionPass::selectHeads(const SelectUnits& selection, cudaStream_t stream) const {
  clearNumber(selection.invalid, stream);
  selectUnits(selection, stream);
  if (readNumber(selection.invalid, stream) == 0) return;
  throw Error("model-corrupt",
              "The rank of a cache unit is not a number. Check the model's weights and its retaining heads: they "
              "produce values that are not finite.");
}

void EvictionPass::select(const float* ranks, std::int32_t count, const EvictionLimits& limits,
                          cudaStream_t stream) const {
  selectHeads({.ranks = ranks,
               .stride = sizes_.cache.capacity,
               .kvHeads = sizes_.model.layers * sizes_.model.kvHeads,
               .count = count,
               .budget = limits.budget,
               .pinned = limits.pinned,
               .stabilizers = limits.stabilizers,
               .kept = memory_.work.kept,
               .invalid = memory_.work.invalid},
              stream);
}

void EvictionPass::compact(std::int32_t kept, cudaStream_t stream) const {
  const std::size_t slots = static_cast<std::size_t>(sizes_.model.kvHeads) * static_cast<std::size_t>(kept);
  for (std::int32_t layer = 0; layer < sizes_.model.layers; ++layer) {
    compactUnits({.cache = memory_.cache.layer(layer),
                  .kept = memory_.work.kept + static_cast<std::size_t>(layer) * slots,
                  .keptStride = kept,
                  .keptCount = kept,
                  .scratch = memory_.work.compactScratch},
                 stream);
  }
}

std::int32_t EvictionPass::forget(std::int32_t count, const std::vector<TokenRange>& ranges,
                                  cudaStream_t stream) const {
  const std::vector<TokenRange> merged = mergeRanges(ranges);
  if (merged.empty() || count == 0) return 0;
  const Workspace& work = memory_.work;
  const RangesOnDevice forgotten(merged, stream);
  clearNumber(work.forgottenUnits, stream);
  clearNumber(work.pinnedForgotten, stream);
  for (std::int32_t layer = 0; layer < sizes_.model.layers; ++layer) {
    countForgotten({.cache = memory_.cache.layer(layer),
                    .count = count,
                    .tokens = forgotten.view(),
                    .pinned = sizes_.cache.pinned,
                    .most = work.forgottenUnits,
                    .pinnedForgotten = work.pinnedForgotten},
                   stream);
  }
  const std::int32_t dropped = readNumber(work.forgottenUnits, stream);
  const std::int32_t budget = count - dropped;
  if (dropped == 0 || budget == 0) return dropped;
  const bool pinnedStay = sizes_.cache.pinned <= budget && readNumber(work.pinnedForgotten, stream) == 0;
  for (std::int32_t layer = 0; layer < sizes_.model.layers; ++layer) {
    const LayerCacheView& cache = memory_.cache.layer(layer);
    // Only this layer's part is lowered, and only now: ranks of the layers behind it are made anew.
    float* lowered = work.ranks;
    lowerForgotten({.cache = cache,
                    .count = count,
                    .tokens = forgotten.view(),
                    .ranks = rankLayer(layer, count, stream),
                    .lowered = lowered},
                   stream);
    selectHeads({.ranks = lowered,
                 .stride = sizes_.cache.capacity,
                 .kvHeads = sizes_.model.kvHeads,
                 .count = count,
                 .budget = budget,
                 .pinned = pinnedStay ? sizes_.cache.pinned : 0,
                 .stabilizers = 0,
                 .kept = work.kept,
                 .invalid = work.invalid},
                stream);
    compactUnits({.cache = cache,
                  .kept = work.kept,
                  .keptStride = budget,
                  .keptCount = budget,
                  .scratch = work.compactScratch},
                 stream);
  }
  return dropped;
}

}  // namespace locret
