#include "engine/model-sizes.h"

#include <string>

#include "attention/cache-format.h"
#include "device/error.h"
#include "device/number-formats.h"

namespace locret {
namespace {

constexpr std::int32_t largestGroup = 16;
/** What tensor cores take of a head at once. */
constexpr std::int32_t rotatedStep = 16;

/** `(name, value)` of a size that must be at least 1. */
struct NamedSize {
  const char* name;
  std::int32_t value;
};

[[noreturn]] void unsupported(const std::string& what) {
  throw Error("model-unsupported", what + " is not run on a GPU. Run this model on the processor.");
}

void checkModel(const ModelSizes& model, const Formats& formats) {
  for (const NamedSize& size : {NamedSize{"layers", model.layers}, NamedSize{"hidden size", model.hidden},
                                NamedSize{"heads", model.heads}, NamedSize{"KV heads", model.kvHeads},
                                NamedSize{"feed-forward width", model.feedForward},
                                NamedSize{"vocabulary", model.vocabulary}}) {
    expect(size.value >= 1, "The model's " + std::string(size.name) + " is " + std::to_string(size.value) +
                                "; at least 1 is expected.");
  }
  expectHeadDim(formats.activation, model.headDim);
  expect(model.heads % model.kvHeads == 0, std::to_string(model.heads) + " heads cannot share " +
                                               std::to_string(model.kvHeads) + " KV heads.");
  if (model.heads / model.kvHeads > largestGroup) {
    unsupported(std::to_string(model.heads / model.kvHeads) + " query heads for each KV head (at most 16)");
  }
  expect(model.rotaryDim >= 2 && model.rotaryDim % 2 == 0 && model.rotaryDim <= model.headDim,
         "The rotated dimensions are " + std::to_string(model.rotaryDim) + "; an even number up to the head size, " +
             std::to_string(model.headDim) + ", is expected.");
  if (formats.activation != NumberFormat::float32 && model.rotaryDim % rotatedStep != 0) {
    unsupported("A rotation of " + std::to_string(model.rotaryDim) + " channels per head (no multiple of 16) in " +
                nameOf(formats.activation));
  }
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
  checkModel(sizes.model, sizes.formats);
  checkCache(sizes.cache);
  expectCacheFormat(sizes.formats.cache, sizes.formats.activation);
  expect(sizes.policy != Policy::locret || sizes.model.hasHeads(),
         "The policy \"locret\" needs retaining heads, and none were given.");
}

}  // namespace locret
