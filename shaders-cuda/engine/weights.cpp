#include "engine/weights.h"

#include "products/weight-layout.h"

namespace locret {
namespace {

PlacedMatrix placeMatrix(Arena& arena, NumberFormat format, std::int32_t rows, std::int32_t columns) {
  const WeightLayout layout = layoutOf(format, rows, columns);
  void* values = arena.takeBytes(layout.valueBytes);
  void* scales = arena.takeBytes(layout.scaleBytes);
  return {format, values, scales, rows, columns};
}

float* placeVector(Arena& arena, bool present, std::int32_t length) {
  return present ? arena.take<float>(static_cast<std::size_t>(length)) : nullptr;
}

LayerWeights placeLayer(const EngineSizes& sizes, Arena& weights, Arena& heads) {
  const ModelSizes& model = sizes.model;
  const Formats& formats = sizes.formats;
  LayerWeights layer{};
  layer.beforeAttention = placeVector(weights, true, model.hidden);
  layer.beforeFeedForward = placeVector(weights, true, model.hidden);
  layer.queryNorm = placeVector(weights, model.queryKeyNorm, model.headDim);
  layer.keyNorm = placeVector(weights, model.queryKeyNorm, model.headDim);
  layer.queryKeyValue = placeMatrix(weights, formats.weights, model.projectedWidth(), model.hidden);
  layer.queryKeyValueBias = placeVector(weights, model.queryKeyValueBias, model.projectedWidth());
  layer.attentionOutput = placeMatrix(weights, formats.weights, model.hidden, model.queryWidth());
  layer.attentionOutputBias = placeVector(weights, model.outputBias, model.hidden);
  layer.gateUp = placeMatrix(weights, formats.weights, 2 * model.feedForward, model.hidden);
  layer.gateUpBias = placeVector(weights, model.feedForwardBias, 2 * model.feedForward);
  layer.down = placeMatrix(weights, formats.weights, model.hidden, model.feedForward);
  layer.downBias = placeVector(weights, model.feedForwardBias, model.hidden);
  if (!model.hasHeads()) return layer;
  // Quantizing the heads would blur the order of the scores, and they are small.
  layer.headFirst = placeMatrix(heads, formats.activation, model.headWidth, model.headColumns());
  layer.headSecond = placeMatrix(heads, NumberFormat::float32, model.kvHeads, model.headWidth);
  return layer;
}

}  // namespace

Weights placeWeights(const EngineSizes& sizes, Arena& weights, Arena& heads) {
  const ModelSizes& model = sizes.model;
  Weights placed{};
  placed.embedding = placeMatrix(weights, sizes.formats.tables, model.vocabulary, model.hidden);
  placed.languageHead = model.tiedEmbeddings
                            ? placed.embedding
                            : placeMatrix(weights, sizes.formats.tables, model.vocabulary, model.hidden);
  placed.finalNorm = placeVector(weights, true, model.hidden);
  placed.layers.reserve(static_cast<std::size_t>(model.layers));
  for (std::int32_t layer = 0; layer < model.layers; ++layer) {
    placed.layers.push_back(placeLayer(sizes, weights, heads));
  }
  return placed;
}

}  // namespace locret
