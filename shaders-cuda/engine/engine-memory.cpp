#include "engine/engine-memory.h"

#include <string>

#include "device/error.h"

namespace locret {
namespace {

std::string gigabytes(std::size_t bytes) {
  const std::size_t hundredths = bytes / ((std::size_t{1} << 30) / 100);
  const std::string rest = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (rest.size() < 2 ? "0" : "") + rest + " GB";
}

/** The plan, if the device has room for it. */
MemoryPlan fittingPlan(const EngineSizes& sizes) {
  const MemoryPlan plan = planMemory(sizes);
  std::size_t free = 0;
  std::size_t total = 0;
  checkCuda(cudaMemGetInfo(&free, &total), "Asking how much memory is free");
  if (plan.total() <= free) return plan;
  throw Error("out-of-memory",
              "The model does not fit on the device: weights " + gigabytes(plan.weights) + " + retaining heads " +
                  gigabytes(plan.heads) + " + cache " + gigabytes(plan.cache) + " + rotated keys " +
                  gigabytes(plan.staging) + " + intermediate values " + gigabytes(plan.workspace) + " + logits " +
                  gigabytes(plan.logits) + " + loading " + gigabytes(plan.loading) + " = " + gigabytes(plan.total()) +
                  ", and " + gigabytes(free) + " are free. Take a smaller budget or chunk, weights or a cache of " +
                  "fewer bits, or end other programs that use the device.");
}

Weights weightsIn(const EngineSizes& sizes, void* weights, void* heads) {
  Arena weightArena(weights);
  Arena headArena(heads);
  return placeWeights(sizes, weightArena, headArena);
}

RetainedCache cacheIn(const EngineSizes& sizes, void* memory) {
  Arena arena(memory);
  return RetainedCache(sizes, arena);
}

template <typename Place>
auto placeIn(void* memory, Place place) {
  Arena arena(memory);
  return place(arena);
}

}  // namespace

EngineMemory::EngineMemory(const EngineSizes& sizes)
    : plan_(fittingPlan(sizes)),
      rotaryDim_(sizes.model.rotaryDim),
      weightBuffer_(plan_.weights, "weights"),
      headBuffer_(plan_.heads, "retaining heads"),
      cacheBuffer_(plan_.cache, "cache"),
      stagingBuffer_(plan_.staging, "rotated keys of a layer"),
      workspaceBuffer_(plan_.workspace, "intermediate values of a pass"),
      logitBuffer_(plan_.logits, "logits"),
      weights(weightsIn(sizes, weightBuffer_.data(), headBuffer_.data())),
      cache(cacheIn(sizes, cacheBuffer_.data())),
      staging(placeIn(stagingBuffer_.data(), [&](Arena& arena) { return placeStaging(sizes, arena); })),
      work(placeIn(workspaceBuffer_.data(),
                   [&](Arena& arena) { return placeWorkspace(sizes, cache.layer(0), arena); })),
      logits(placeIn(logitBuffer_.data(), [&](Arena& arena) { return placeLogits(sizes, arena); })) {}

}  // namespace locret
