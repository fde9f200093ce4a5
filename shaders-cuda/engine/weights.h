#pragma once

#include <vector>

#include "device/types.h"
#include "engine/arena.h"
#include "engine/model-sizes.h"

namespace locret {

/** A weight matrix with memory of its own. */
struct PlacedMatrix {
  NumberFormat format;
  void* values;
  void* scales;
  std::int32_t rows;
  std::int32_t columns;

  WeightMatrix view() const { return {format, values, scales, rows, columns}; }
};

/** One layer's weights; what the family or the plan does not have is null. */
struct LayerWeights {
  float* beforeAttention;
  float* beforeFeedForward;
  float* queryNorm;
  float* keyNorm;
  PlacedMatrix queryKeyValue;
  float* queryKeyValueBias;
  PlacedMatrix attentionOutput;
  float* attentionOutputBias;
  PlacedMatrix gateUp;
  float* gateUpBias;
  PlacedMatrix down;
  float* downBias;
  PlacedMatrix headFirst;
  PlacedMatrix headSecond;
};

struct Weights {
  PlacedMatrix embedding;
  /** The embedding itself when tied. */
  PlacedMatrix languageHead;
  float* finalNorm;
  std::vector<LayerWeights> layers;
};

/** Lays out a model's weights and, apart, its retaining heads. */
Weights placeWeights(const EngineSizes& sizes, Arena& weights, Arena& heads);

}  // namespace locret
