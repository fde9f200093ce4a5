#include "engine/model-sizes.h"

#include <array>
#include <algorithm>
#include <string>

#include "device/error.h"
#include "device/number-formats.h"

namespace locret {
namespace {

constexpr std::array headDims{16, 32, 64, 80, 96, 128};
constexpr std::int32_t largestGroup = 16;

/** `(name, value)` of a size that must be at least 1. */
struct NamedSize {
  const char* name;
  std::int32_t value;
};

[[noreturn]] void unsupported(const std::string& what) {
  throw Error("model-unsupported", what + " is not run on a GPU. Run this model on the processor.");
}

void checkModel(const ModelSizes& model) {
  for (const NamedSize& size : {NamedSize{"layers", model.layers}, NamedSize{"hidden size", model.hidden},
                                NamedSize{"heads", model.heads}, NamedSize{"KV heads", model.kvHeads},
                                NamedSize{"feed-forward width", model.feedForward},
                                NamedSize{"vocabulary", model.vocabulary}}) {
    expect(size.value >= 1, "The model's " + std::string(size.name) + " is " + std::to_string(size.value) +
                                "; at least 1 is expected.");
  }
  if (std::find(headDims.begin(), headDims.end(), model.headDim) == headDims.end()) {
    unsupported("A head size of " + std::to_string(model.headDim) + " (known: 16, 32, 64, 80, 96, 128)");
  }
  expect(model.heads % model.kvHeads == 0, std::to_string(model.heads) + " heads cannot share " +
                                               std::to_string(model.kvHeads) + " KV heads.");
  if (model.heads / model.kvHeads > largestGroup) {
    unsupported(std::to_string(model.heads / model.kvHeads) + " query heads for each KV head (at most 16)");
  }
  expect(model.rotaryDim >= 2 && model.rotaryDim % 2 == 0 && model.rotaryDim <= model.headDim,
         "The rotated dimensions are " + std::to_string(model.rotaryDim) + "; an even number up to the head size, " +
             std::to_string(model.headDim) + ", is expected.");
  for (const NamedSize& width : {NamedSize{"hidden size", model.hidden},
                                 NamedSize{"feed-forward width", model.feedForward},
                                 NamedSize{"width of retaining heads", model.headWidth}}) {
    if (width.value % 8 != 0) {
      unsupported("A " + std::string(width.name) + " of " + std::to_string(width.value) + " (no multiple of 8)");
    }
  }
}

void checkCache(const CacheSizes& cache) {
  expect(cache.chunk >= 1 && cache.capacity >= 1 && cache.budget >= 1,
         "The cache plan needs a budget, a chunk and a capacity of at least 1, not " + std::to_string(cache.budget) +
             ", " + std::to_string(cache.chunk) + " and " + std::to_string(cache.capacity) + ".");
  expect(cache.pinned >= 0 && cache.stabilizers >= 0 && cache.pinned <= cache.budget - cache.stabilizers,
         "A budget of " + std::to_string(cache.budget) + " cache units cannot hold " + std::to_string(cache.pinned) +
             " pinned units and " + std::to_string(cache.stabilizers) + " stabilizers.");
  expect(cache.budget == CacheSizes::unlimited || cache.capacity >= cache.budget,
         "A capacity of " + std::to_string(cache.capacity) + " cache units is below the budget, " +
             std::to_string(cache.budget) + ".");
}

}  // namespace

Formats formatsFor(NumberFormat weights, NumberFormat cache) {
  const bool quantized = weights == NumberFormat::int8 || weights == NumberFormat::int4;
  return {.weights = weights,
          .tables = quantized ? NumberFormat::int8 : weights,
          .activation = quantized ? NumberFormat::bfloat16 : weights,
          .cache = cache};
}

void checkSizes(const EngineSizes& sizes) {
  checkModel(sizes.model);
  checkCache(sizes.cache);
  const bool quantizedCache = sizes.formats.cache == NumberFormat::int8 || sizes.formats.cache == NumberFormat::int4;
  expect(quantizedCache || sizes.formats.cache == sizes.formats.activation,
         std::string("A cache in ") + nameOf(sizes.formats.cache) + " does not go with activations in " +
             nameOf(sizes.formats.activation) + "; take that, int8 or int4.");
  expect(sizes.policy != Policy::locret || sizes.model.hasHeads(),
         "The policy \"locret\" needs retaining heads, and none were given.");
}

}  // namespace locret
