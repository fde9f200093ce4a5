#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/launch.cuh"
#include "products/store-output.cuh"
#include "products/tensor-tile.cuh"
#include "products/tile-size.h"

namespace locret {

/** Bias of four consecutive rows; zeros beyond the last. */
__device__ inline void loadBias(const Product& product, int row, float (&bias)[4]) {
  if (product.bias == nullptr) return;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    if (row + i < product.weight.rows) bias[i] = product.bias[row + i];
}

/** Writes four consecutive rows of a token, as far as they exist. */
__device__ inline void storeRows(const Product& product, int token, int row, const float (&values)[4]) {
  const int rows = product.weight.rows;
  if (token >= product.tokens || row >= rows) return;
  const std::size_t at = static_cast<std::size_t>(token) * rows + row;
  // With rows a multiple of four, all four exist and lie aligned.
  if (rows % 4 == 0) return storeOutput(product, at, values);
#pragma unroll
  for (int i = 0; i < 4; ++i)
    if (row + i < rows) storeOutput<1>(product, at + i, {values[i]});
}

/**
 * One tile of the output per block (products/tensor-tile.cuh). Neighbouring blocks take other tokens and the same rows,
 * so that weights leave device memory once while the input stays in the L2 cache.
 *
 * grid: (tokens / Tile::tokens, rows / Tile::rows); block: Tile::threads; shared: Tile::sharedBytes.
 */
template <typename Tile>
__global__ void __launch_bounds__(Tile::threads) tensorProductKernel(Product product) {
  LOCRET_DYNAMIC_SHARED(unsigned char, shared);
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int warp = static_cast<int>(threadIdx.x) >> 5;
  const int firstToken = static_cast<int>(blockIdx.x) * Tile::tokens;
  const int firstRow = static_cast<int>(blockIdx.y) * Tile::rows;
  const int warpToken = warp % Tile::warpsOverTokens * Tile::warpTokens;
  const int warpRow = warp / Tile::warpsOverTokens * Tile::warpRows;

  typename Tile::Sums sums = {};
  multiplyTile<Tile>(product, firstToken, firstRow, warpToken, warpRow, shared, sums);

#pragma unroll
  for (int r = 0; r < Tile::rowFragments; ++r) {
    const int row = firstRow + warpRow + r * weightBlockRows + 4 * (lane & 3);
    float bias[4] = {};
    loadBias(product, row, bias);
#pragma unroll
    for (int t = 0; t < Tile::tokenFragments; ++t) {
      const int token = firstToken + warpToken + t * 16 + (lane >> 2);
      const float(&upper)[4] = sums[t][r][0];
      const float(&lower)[4] = sums[t][r][1];
      storeRows(product, token, row, {upper[0] + bias[0], upper[1] + bias[1], lower[0] + bias[2], lower[1] + bias[3]});
      storeRows(product, token + 8, row,
                {upper[2] + bias[0], upper[3] + bias[1], lower[2] + bias[2], lower[3] + bias[3]});
    }
  }
}

template <typename Tile>
void launchTile(const Product& product, cudaStream_t stream) {
  const dim3 grid(blocksFor(product.tokens, Tile::tokens), blocksFor(product.weight.rows, Tile::rows));
  launch(tensorProductKernel<Tile>, grid, dim3(Tile::threads), Tile::sharedBytes, stream, product);
}

template <NumberFormat Format, TileSize Size, int WarpTokens, int WarpRows, int Stages>
using TileOf = TensorTile<Format, shapeOf(Size).tokens, shapeOf(Size).rows, WarpTokens, WarpRows, Stages>;

/**
 * Tiles of three sizes. Warps of the 16-bit ones take 64 × 64, which reads the fewest bytes of shared memory per MMA;
 * those of quantized weights take all tokens of the tile, so that no weight is dequantized twice. The large and the
 * middle tile fill the registers of a multiprocessor with one and two blocks. All fit into the 99 KB of compute
 * capability 8.6.
 */
template <NumberFormat Format>
struct Tiles {
  using Large = TileOf<Format, TileSize::large, 64, 64, 4>;
  using Middle = TileOf<Format, TileSize::middle, 64, 64, 3>;
  using Small = TileOf<Format, TileSize::small, 32, 32, 6>;
};

template <NumberFormat Format>
  requires(isQuantized(Format))
struct Tiles<Format> {
  using Large = TileOf<Format, TileSize::large, 128, 32, 3>;
  using Middle = TileOf<Format, TileSize::middle, 128, 32, 3>;
  using Small = TileOf<Format, TileSize::small, 64, 16, 4>;
};

/** `multiplyTensors` for weights in one format; one source for each, because they take long to compile. */
template <NumberFormat Format>
void multiplyTensorsOf(const Product& product, TileSize size, cudaStream_t stream) {
  switch (size) {
    case TileSize::large:
      return launchTile<typename Tiles<Format>::Large>(product, stream);
    case TileSize::middle:
      return launchTile<typename Tiles<Format>::Middle>(product, stream);
    case TileSize::small:
      return launchTile<typename Tiles<Format>::Small>(product, stream);
  }
}

}  // namespace locret
