#pragma once

#include <cuda_runtime.h>

#include <vector>

#include "attention/cache-format.h"
#include "device/types.h"
#include "engine/arena.h"
#include "engine/model-sizes.h"

namespace locret {

/** A layer's units in host memory, units of each KV head in a row; see LocretLayer. */
struct HostLayer {
  void* units;
  float* scores;
  std::int32_t* tokenIndices;
};

/** Bytes of one layer in HostLayer::units: per unit of a KV head, and the table that belongs to the layer. */
struct HostLayerBytes {
  std::size_t unit;
  std::size_t table;
};

/**
 * The cache units of every layer and KV head on the device, in slots 0..length-1 of preallocated arrays; how many there
 * are is known elsewhere. Scores and token indices of all layers follow each other, so that one launch selects for all.
 */
class RetainedCache {
 public:
  /** Lays the arrays out; with an arena that only counts, nothing but bytes can be asked. */
  RetainedCache(const EngineSizes& sizes, Arena& arena);

  /** What the kernels get of a layer. */
  const LayerCacheView& layer(std::int32_t layer) const { return layers_[static_cast<std::size_t>(layer)]; }

  /** float32 `[layers * kvHeads, capacity]` */
  const float* scores() const { return scores_; }
  /** `[layers * kvHeads, capacity]` */
  const std::int32_t* tokenIndices() const { return tokenIndices_; }

  static HostLayerBytes hostBytes(const EngineSizes& sizes);

  /** Copies the first `length` units of a layer to the host. Asynchronous for pinned memory only. */
  void exportLayer(std::int32_t layer, std::int32_t length, const HostLayer& target, cudaStream_t stream) const;
  /** Copies units into a layer: the same bits as were exported. */
  void importLayer(std::int32_t layer, std::int32_t length, const HostLayer& source, cudaStream_t stream);

 private:
  /** One array of a layer: where it is and what a unit takes in it. */
  struct UnitArray {
    void* values;
    std::size_t unitBytes;
  };

  std::vector<UnitArray> unitArrays(std::int32_t layer) const;
  void copyLayer(std::int32_t layer, std::int32_t length, const HostLayer& host, bool toHost,
                 cudaStream_t stream) const;

  ModelSizes model_;
  std::int32_t capacity_;
  CacheUnitBytes unitBytes_;
  std::size_t tableBytes_;
  std::vector<LayerCacheView> layers_;
  float* scores_;
  std::int32_t* tokenIndices_;
};

}  // namespace locret
