#include "engine/memory-plan.h"

#include "engine/arena.h"
#include "engine/cache.h"
#include "engine/weight-loader.h"
#include "engine/weights.h"
#include "engine/workspace.h"

namespace locret {

MemoryPlan planMemory(const EngineSizes& sizes) {
  checkSizes(sizes);
  Arena weights;
  Arena heads;
  Arena cache;
  Arena staging;
  Arena workspace;
  Arena logits;
  placeWeights(sizes, weights, heads);
  const RetainedCache retained(sizes, cache);
  placeStaging(sizes, staging);
  placeWorkspace(sizes, retained.layer(0), workspace);
  placeLogits(sizes, logits);
  return {.weights = weights.bytes(),
          .heads = heads.bytes(),
          .cache = cache.bytes(),
          .staging = staging.bytes(),
          .workspace = workspace.bytes(),
          .logits = logits.bytes(),
          .loading = largestPiece};
}

}  // namespace locret
