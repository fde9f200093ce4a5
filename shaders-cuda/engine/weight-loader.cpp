#include "engine/weight-loader.h"

#include <array>

#include "device/error.h"
#include "device/number-formats.h"
#include "products/pack-weights.h"

namespace locret {
namespace {

constexpr std::array names{"embedding",
                           "language head",
                           "final norm",
                           "norm before attention",
                           "norm before the feed-forward layer",
                           "query norm",
                           "key norm",
                           "query, key and value projections",
                           "bias of query, key and value",
                           "attention output",
                           "bias of the attention output",
                           "gate and up projections",
                           "bias of gate and up",
                           "down projection",
                           "bias of the down projection",
                           "first layer of the retaining head",
                           "second layer of the retaining head"};

bool belongsToNoLayer(ModelTensor tensor) {
  return tensor == ModelTensor::embedding || tensor == ModelTensor::languageHead || tensor == ModelTensor::finalNorm;
}

std::string describe(ModelTensor tensor, std::int32_t layer) {
  const std::string name = names.at(static_cast<std::size_t>(tensor));
  return belongsToNoLayer(tensor) ? name : name + " of layer " + std::to_string(layer);
}

}  // namespace

WeightLoader::WeightLoader(const EngineSizes& sizes, const Weights& weights, cudaStream_t stream)
    : sizes_(sizes), weights_(weights), stream_(stream), piece_(largestPiece, "weights that are being packed") {}

WeightLoader::Target WeightLoader::targetOf(ModelTensor tensor, std::int32_t layer) const {
  const ModelSizes& model = sizes_.model;
  const auto matrix = [](const PlacedMatrix& placed) {
    return Target{placed, nullptr, placed.rows, placed.columns};
  };
  const auto vector = [](float* values, std::int32_t length) { return Target{{}, values, length, 1}; };
  switch (tensor) {
    case ModelTensor::embedding:
      return matrix(weights_.embedding);
    case ModelTensor::languageHead:
      return model.tiedEmbeddings ? Target{} : matrix(weights_.languageHead);
    case ModelTensor::finalNorm:
      return vector(weights_.finalNorm, model.hidden);
    default:
      break;
  }
  expect(layer >= 0 && layer < model.layers,
         "Layer " + std::to_string(layer) + " was given; the model has " + std::to_string(model.layers) + ".");
  const LayerWeights& weights = weights_.layers[static_cast<std::size_t>(layer)];
  switch (tensor) {
    case ModelTensor::normBeforeAttention:
      return vector(weights.beforeAttention, model.hidden);
    case ModelTensor::normBeforeFeedForward:
      return vector(weights.beforeFeedForward, model.hidden);
    case ModelTensor::queryNorm:
      return vector(weights.queryNorm, model.headDim);
    case ModelTensor::keyNorm:
      return vector(weights.keyNorm, model.headDim);
    case ModelTensor::queryKeyValue:
      return matrix(weights.queryKeyValue);
    case ModelTensor::queryKeyValueBias:
      return vector(weights.queryKeyValueBias, model.projectedWidth());
    case ModelTensor::attentionOutput:
      return matrix(weights.attentionOutput);
    case ModelTensor::attentionOutputBias:
      return vector(weights.attentionOutputBias, model.hidden);
    case ModelTensor::gateUp:
      return matrix(weights.gateUp);
    case ModelTensor::gateUpBias:
      return vector(weights.gateUpBias, 2 * model.feedForward);
    case ModelTensor::down:
      return matrix(weights.down);
    case ModelTensor::downBias:
      return vector(weights.downBias, model.hidden);
    case ModelTensor::headFirst:
      return matrix(weights.headFirst);
    case ModelTensor::headSecond:
      return matrix(weights.headSecond);
    default:
      throw Error("invalid-argument", "There is no tensor " + std::to_string(static_cast<int>(tensor)) + ".");
  }
}

void WeightLoader::load(const TensorPiece& piece) {
  const Target target = targetOf(piece.tensor, piece.layer);
  const std::string name = describe(piece.tensor, piece.layer);
  expect(!target.isMissing(), "This model has no " + name + ".");
  const std::int32_t layer = belongsToNoLayer(piece.tensor) ? 0 : piece.layer;
  std::int32_t& loaded = loaded_[{piece.tensor, layer}];
  expect(piece.firstRow == loaded && piece.rows >= 1 && piece.rows <= target.rows - loaded &&
             piece.columns == target.columns,
         "Rows " + std::to_string(piece.firstRow) + " to " + std::to_string(piece.firstRow + piece.rows) + " of the " +
             name + " with " + std::to_string(piece.columns) + " columns do not follow row " + std::to_string(loaded) +
             " of [" + std::to_string(target.rows) + ", " + std::to_string(target.columns) + "].");
  const bool isVector = target.vector != nullptr;
  const bool isNumber = piece.format == NumberFormat::float32 || piece.format == NumberFormat::bfloat16 ||
                        piece.format == NumberFormat::float16;
  expect(isVector ? piece.format == NumberFormat::float32 : isNumber,
         "The " + name + " comes in a format that is not read.");
  const std::size_t bytes =
      bytesOf(piece.format, static_cast<std::size_t>(piece.rows) * static_cast<std::size_t>(piece.columns));
  expect(piece.bytes == bytes && bytes <= largestPiece,
         "A piece of the " + name + " has " + std::to_string(piece.bytes) + " bytes; " + std::to_string(bytes) +
             " are expected, and at most " + std::to_string(largestPiece) + ".");
  if (isVector) {
    checkCuda(cudaMemcpyAsync(target.vector + piece.firstRow, piece.values, bytes, cudaMemcpyHostToDevice, stream_),
              "Copying weights to the device");
  } else {
    checkCuda(cudaMemcpyAsync(piece_.data(), piece.values, bytes, cudaMemcpyHostToDevice, stream_),
              "Copying weights to the device");
    packWeights({.source = piece_.data(),
                 .sourceFormat = piece.format,
                 .firstRow = piece.firstRow,
                 .rowCount = piece.rows,
                 .format = target.matrix.format,
                 .values = target.matrix.values,
                 .scales = target.matrix.scales,
                 .rows = target.rows,
                 .columns = target.columns},
                stream_);
  }
  // The caller's memory is read when the copy is made.
  checkCuda(cudaStreamSynchronize(stream_), "Loading weights");
  loaded += piece.rows;
}

void WeightLoader::checkComplete() const {
  for (std::size_t index = 0; index < names.size(); ++index) {
    const auto tensor = static_cast<ModelTensor>(index);
    const std::int32_t layers = belongsToNoLayer(tensor) ? 1 : sizes_.model.layers;
    for (std::int32_t layer = 0; layer < layers; ++layer) {
      const Target target = targetOf(tensor, layer);
      if (target.isMissing()) continue;
      const auto found = loaded_.find({tensor, layer});
      const std::int32_t rows = found == loaded_.end() ? 0 : found->second;
      if (rows == target.rows) continue;
      throw Error("model-corrupt", "Of the " + describe(tensor, layer) + " " + std::to_string(rows) + " of " +
                                       std::to_string(target.rows) + " rows came. Load the model again.");
    }
  }
}

}  // namespace locret
