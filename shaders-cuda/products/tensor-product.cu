#include "products/tensor-product.h"

#include <cuda_runtime.h>

#include <cstdint>

#include "device/launch.cuh"
#include "products/multiprocessors.h"

namespace locret {

template <NumberFormat Format>
void multiplyTensorsOf(const Product& product, TileSize size, cudaStream_t stream);
extern template void multiplyTensorsOf<NumberFormat::bfloat16>(const Product&, TileSize, cudaStream_t);
extern template void multiplyTensorsOf<NumberFormat::float16>(const Product&, TileSize, cudaStream_t);
extern template void multiplyTensorsOf<NumberFormat::int8>(const Product&, TileSize, cudaStream_t);
extern template void multiplyTensorsOf<NumberFormat::int4>(const Product&, TileSize, cudaStream_t);

namespace {

/** Time of a product in tiles: multiply-adds per column of the busiest multiprocessor, over the tile's speed. */
double timeInTiles(const Product& product, TileSize size, int multiprocessors) {
  const TileShape shape = shapeOf(size);
  const std::int64_t tokenTiles = blocksFor(product.tokens, shape.tokens);
  const std::int64_t rowTiles = blocksFor(product.weight.rows, shape.rows);
  const std::int64_t rounds = blocksFor(tokenTiles * rowTiles, multiprocessors);
  return static_cast<double>(rounds * shape.tokens * shape.rows) / shape.speed;
}

}  // namespace

TileSize chooseTile(const Product& product) {
  const int multiprocessors = multiprocessorCount();
  TileSize best = TileSize::large;
  for (const TileSize size : {TileSize::middle, TileSize::small})
    if (timeInTiles(product, size, multiprocessors) < timeInTiles(product, best, multiprocessors)) best = size;
  return best;
}

void multiplyTensors(const Product& product, TileSize size, cudaStream_t stream) {
  switch (product.weight.format) {
    case NumberFormat::bfloat16:
      return multiplyTensorsOf<NumberFormat::bfloat16>(product, size, stream);
    case NumberFormat::float16:
      return multiplyTensorsOf<NumberFormat::float16>(product, size, stream);
    case NumberFormat::int8:
      return multiplyTensorsOf<NumberFormat::int8>(product, size, stream);
    case NumberFormat::int4:
      return multiplyTensorsOf<NumberFormat::int4>(product, size, stream);
    case NumberFormat::float32:
      throw Error("engine-failed", "Products of float32 do not run on tensor cores.");
  }
}

}  // namespace locret
