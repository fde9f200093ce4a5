#include "engine/cache.h"

#include "device/error.h"

namespace locret {

RetainedCache::RetainedCache(const EngineSizes& sizes, Arena& arena)
    : model_(sizes.model),
      capacity_(sizes.cache.capacity),
      unitBytes_(cacheUnitBytes(sizes.formats.cache, sizes.model.headDim)),
      tableBytes_(keyChannelScaleBytes(sizes.formats.cache, sizes.model.kvHeads, sizes.model.headDim)) {
  const std::size_t units = static_cast<std::size_t>(model_.kvHeads) * static_cast<std::size_t>(capacity_);
  const std::size_t all = static_cast<std::size_t>(model_.layers) * units;
  scores_ = arena.take<float>(all);
  tokenIndices_ = arena.take<std::int32_t>(all);
  layers_.reserve(static_cast<std::size_t>(model_.layers));
  for (std::int32_t layer = 0; layer < model_.layers; ++layer) {
    const std::size_t before = static_cast<std::size_t>(layer) * units;
    LayerCacheView view{};
    view.format = sizes.formats.cache;
    view.keys = arena.takeBytes(units * unitBytes_.keys);
    view.values = arena.takeBytes(units * unitBytes_.values);
    view.keyScales = arena.takeBytes(units * unitBytes_.keyScales);
    view.valueScales = arena.takeBytes(units * unitBytes_.valueScales);
    view.keyChannelScales = arena.takeBytes(tableBytes_);
    view.scores = scores_ == nullptr ? nullptr : scores_ + before;
    view.tokenIndices = tokenIndices_ == nullptr ? nullptr : tokenIndices_ + before;
    view.kvHeads = model_.kvHeads;
    view.headDim = model_.headDim;
    view.capacity = capacity_;
    layers_.push_back(view);
  }
}

HostLayerBytes RetainedCache::hostBytes(const EngineSizes& sizes) {
  const CacheUnitBytes bytes = cacheUnitBytes(sizes.formats.cache, sizes.model.headDim);
  return {.unit = bytes.keys + bytes.values + bytes.keyScales + bytes.valueScales,
          .table = keyChannelScaleBytes(sizes.formats.cache, sizes.model.kvHeads, sizes.model.headDim)};
}

std::vector<RetainedCache::UnitArray> RetainedCache::unitArrays(std::int32_t layer) const {
  const LayerCacheView& view = layers_[static_cast<std::size_t>(layer)];
  std::vector<UnitArray> arrays;
  for (const UnitArray& array : {UnitArray{view.keys, unitBytes_.keys}, UnitArray{view.values, unitBytes_.values},
                                 UnitArray{view.keyScales, unitBytes_.keyScales},
                                 UnitArray{view.valueScales, unitBytes_.valueScales}}) {
    if (array.unitBytes > 0) arrays.push_back(array);
  }
  return arrays;
}

void RetainedCache::copyLayer(std::int32_t layer, std::int32_t length, const HostLayer& host, bool toHost,
                              cudaStream_t stream) const {
  const auto heads = static_cast<std::size_t>(model_.kvHeads);
  // Host arrays are dense, device arrays have room for `capacity` units in each head.
  const auto copyUnits = [&](void* device, void* dense, std::size_t unitBytes) {
    const std::size_t width = static_cast<std::size_t>(length) * unitBytes;
    const std::size_t pitch = static_cast<std::size_t>(capacity_) * unitBytes;
    if (width == 0) return;
    checkCuda(toHost ? cudaMemcpy2DAsync(dense, width, device, pitch, width, heads, cudaMemcpyDeviceToHost, stream)
                     : cudaMemcpy2DAsync(device, pitch, dense, width, width, heads, cudaMemcpyHostToDevice, stream),
              toHost ? "Copying the cache to the host" : "Copying the cache to the device");
  };
  const LayerCacheView& view = layers_[static_cast<std::size_t>(layer)];
  auto* dense = static_cast<unsigned char*>(host.units);
  for (const UnitArray& array : unitArrays(layer)) {
    copyUnits(array.values, dense, array.unitBytes);
    dense += heads * static_cast<std::size_t>(length) * array.unitBytes;
  }
  if (tableBytes_ > 0) {
    void* table = view.keyChannelScales;
    checkCuda(toHost ? cudaMemcpyAsync(dense, table, tableBytes_, cudaMemcpyDeviceToHost, stream)
                     : cudaMemcpyAsync(table, dense, tableBytes_, cudaMemcpyHostToDevice, stream),
              "Copying the cache's table");
  }
  if (model_.hasHeads()) copyUnits(view.scores, host.scores, sizeof(float));
  copyUnits(view.tokenIndices, host.tokenIndices, sizeof(std::int32_t));
}

void RetainedCache::exportLayer(std::int32_t layer, std::int32_t length, const HostLayer& target,
                                cudaStream_t stream) const {
  copyLayer(layer, length, target, true, stream);
}

void RetainedCache::importLayer(std::int32_t layer, std::int32_t length, const HostLayer& source,
                                cudaStream_t stream) {
  copyLayer(layer, length, source, false, stream);
}

}  // namespace locret
