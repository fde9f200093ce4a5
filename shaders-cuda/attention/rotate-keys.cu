#include "attention/rotate-keys.h"

#include <string>

#include "attention/attention-tile.cuh"
#include "device/error.h"
#include "device/launch.cuh"

namespace locret {
namespace {

constexpr int threads = 256;
constexpr int unitsPerBlock = 32;

/** Writes a tile to the staging area, from vector `target` on. */
template <NumberFormat format>
__device__ void storeTile(const float* tile, int units, int headDim, void* staging, std::size_t target) {
  const int vectorsPerUnit = headDim / vectorChannels;
  for (int vector = static_cast<int>(threadIdx.x); vector < units * vectorsPerUnit; vector += threads) {
    const int unit = vector / vectorsPerUnit;
    const float* source = tile + unit * tileStride(headDim) + (vector - unit * vectorsPerUnit) * vectorChannels;
    float numbers[vectorChannels];
#pragma unroll
    for (int i = 0; i < vectorChannels; ++i) numbers[i] = source[i];
    static_cast<RawVector<format>*>(staging)[target + vector] = encodeVector<format>(numbers);
  }
}

template <NumberFormat cacheFormat, NumberFormat format>
__global__ void __launch_bounds__(threads) rotateKeysKernel(RotateKeys rotation) {
  LOCRET_DYNAMIC_SHARED(float, tile);
  const LayerCacheView& cache = rotation.cache;
  const int headDim = cache.headDim;
  const int kvHead = static_cast<int>(blockIdx.y);
  const int firstSlot = static_cast<int>(blockIdx.x) * unitsPerBlock;
  const int units = min(unitsPerBlock, rotation.count - firstSlot);
  const std::size_t target =
      (static_cast<std::size_t>(kvHead) * rotation.stagingCapacity + firstSlot) * (headDim / vectorChannels);

  loadUnitTile<cacheFormat>(cache, false, kvHead, firstSlot, units, tile, units, threads);
  __syncthreads();
  turnTile(tile, units, headDim, rotation.rope, threads, [firstSlot](int row) { return firstSlot + row; });
  __syncthreads();
  storeTile<format>(tile, units, headDim, rotation.staging, target);

  if constexpr (hasGroupScales(cacheFormat)) {
    __syncthreads();
    loadUnitTile<cacheFormat>(cache, true, kvHead, firstSlot, units, tile, units, threads);
    __syncthreads();
    storeTile<format>(tile, units, headDim, rotation.valueStaging, target);
  }
}

}  // namespace

void rotateKeys(const RotateKeys& rotation, cudaStream_t stream) {
  const LayerCacheView& cache = rotation.cache;
  expectHeadDim(rotation.format, cache.headDim);
  expectRotaryDim(NumberFormat::float32, rotation.rope.rotaryDim, cache.headDim);
  expect(rotation.count <= cache.capacity && rotation.count <= rotation.stagingCapacity,
         "Cannot stage " + std::to_string(rotation.count) + " units: the cache has room for " +
             std::to_string(cache.capacity) + ", the staging area for " + std::to_string(rotation.stagingCapacity) +
             ".");
  expect(!hasGroupScales(cache.format) || rotation.valueStaging != nullptr,
         "Values of a quantized cache need a staging area; give valueStaging.");
  const dim3 grid(blocksFor(rotation.count, unitsPerBlock), static_cast<unsigned int>(cache.kvHeads));
  const std::size_t shared = sizeof(float) * unitsPerBlock * static_cast<std::size_t>(tileStride(cache.headDim));
  withFloatType(rotation.format, "The staging area's format", [&](auto type) {
    constexpr NumberFormat format = formatOf<typename decltype(type)::type>();
    withCacheFormat(cache.format, rotation.format, [&](auto chosen) {
      constexpr NumberFormat cacheFormat = decltype(chosen)::value;
      if constexpr (hasGroupScales(cacheFormat) || cacheFormat == format) {
        launch(rotateKeysKernel<cacheFormat, format>, grid, dim3(threads), shared, stream, rotation);
      }
    });
  });
}

}  // namespace locret
