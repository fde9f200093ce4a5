#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "device/device-memory.h"
#include "engine/weights.h"

namespace locret {

/** The tensors of a model: the values of LocretTensor. */
enum class ModelTensor : std::int32_t {
  embedding,
  languageHead,
  finalNorm,
  normBeforeAttention,
  normBeforeFeedForward,
  queryNorm,
  keyNorm,
  queryKeyValue,
  queryKeyValueBias,
  attentionOutput,
  attentionOutputBias,
  gateUp,
  gateUpBias,
  down,
  downBias,
  headFirst,
  headSecond,
};

/** Rows of a tensor in host memory; see LocretPiece. */
struct TensorPiece {
  ModelTensor tensor;
  std::int32_t layer;
  std::int32_t firstRow;
  std::int32_t rows;
  std::int32_t columns;
  NumberFormat format;
  const void* values;
  std::size_t bytes;
};

/** Most bytes of a piece. */
inline constexpr std::size_t largestPiece = std::size_t{32} << 20;

/** Brings weights piece by piece into their place on the device, in the format that they run in. */
class WeightLoader {
 public:
  /** Takes `largestPiece` bytes of device memory while it lives. */
  WeightLoader(const EngineSizes& sizes, const Weights& weights, cudaStream_t stream);

  /**
   * Packs some rows. The rows of a tensor come in ascending order.
   * @throws Error invalid-argument when a piece does not fit the model, or is not the next one of its tensor
   */
  void load(const TensorPiece& piece);

  /** @throws Error model-corrupt naming a tensor of which rows are missing */
  void checkComplete() const;

 private:
  /** Where a tensor goes: a matrix, or a vector of float32. */
  struct Target {
    PlacedMatrix matrix;
    float* vector;
    std::int32_t rows;
    std::int32_t columns;
    bool isMissing() const { return vector == nullptr && matrix.values == nullptr; }
  };

  Target targetOf(ModelTensor tensor, std::int32_t layer) const;

  const EngineSizes& sizes_;
  const Weights& weights_;
  cudaStream_t stream_;
  DeviceBuffer piece_;
  /** Rows that came, by tensor and layer. */
  std::map<std::pair<ModelTensor, std::int32_t>, std::int32_t> loaded_;
};

}  // namespace locret
