#include "products/float32-product.h"

#include <cuda_runtime.h>

#include <cstddef>

#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/warp.cuh"
#include "products/streamed-load.cuh"

namespace locret {
namespace {

constexpr int tileTokens = 128;
constexpr int tileRows = 64;
constexpr int tileColumns = 16;
constexpr int tileThreads = 256;
/** Of the output, per thread. */
constexpr int threadTokens = 8;
constexpr int threadRows = 4;
/** Tokens or rows that one pass of the block over a tile loads, 16 bytes per thread. */
constexpr int loadedAtOnce = tileThreads / (tileColumns / 4);

/** Four columns of a row of `[rows, columns]`; zeros beyond. `columns` is a multiple of 4. */
__device__ inline float4 loadFour(const float* matrix, int row, int rows, int column, int columns) {
  if (row >= rows || column >= columns) return make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  return *reinterpret_cast<const float4*>(matrix + static_cast<std::size_t>(row) * columns + column);
}

/** Writes four columns of a row into a tile `[columns][width]`. */
template <int Width>
__device__ inline void storeTransposed(float (&tile)[tileColumns][Width], int column, int row, float4 values) {
  tile[column][row] = values.x;
  tile[column + 1][row] = values.y;
  tile[column + 2][row] = values.z;
  tile[column + 3][row] = values.w;
}

/**
 * 128 tokens × 64 rows per block, 8 × 4 per thread, 16 columns at a time through shared memory; the next columns are
 * loaded while these are multiplied. Each sum runs over the columns in ascending order.
 *
 * grid: (tokens / 128, rows / 64); block: 256.
 */
__global__ void __launch_bounds__(tileThreads) float32ProductKernel(Product product) {
  // Four more than the tile keeps rows aligned for 16-byte reads and spreads the transposed writes over the banks.
  __shared__ float inputTile[tileColumns][tileTokens + 4];
  __shared__ float weightTile[tileColumns][tileRows + 4];
  const float* input = static_cast<const float*>(product.input);
  const float* weight = static_cast<const float*>(product.weight.values);
  const int columns = product.weight.columns;
  const int thread = static_cast<int>(threadIdx.x);
  const int firstToken = static_cast<int>(blockIdx.x) * tileTokens;
  const int firstRow = static_cast<int>(blockIdx.y) * tileRows;
  const int loadRow = thread / (tileColumns / 4);
  const int loadColumn = thread % (tileColumns / 4) * 4;
  const int token = thread / (tileRows / threadRows) * threadTokens;
  const int row = thread % (tileRows / threadRows) * threadRows;

  float4 inputs[tileTokens / loadedAtOnce];
  float4 weights;
  const auto load = [&](int column) {
#pragma unroll
    for (int i = 0; i < tileTokens / loadedAtOnce; ++i)
      inputs[i] =
          loadFour(input, firstToken + loadRow + i * loadedAtOnce, product.tokens, column + loadColumn, columns);
    weights = loadFour(weight, firstRow + loadRow, product.weight.rows, column + loadColumn, columns);
  };

  float sums[threadTokens][threadRows] = {};
  load(0);
  for (int column = 0; column < columns; column += tileColumns) {
#pragma unroll
    for (int i = 0; i < tileTokens / loadedAtOnce; ++i)
      storeTransposed(inputTile, loadColumn, loadRow + i * loadedAtOnce, inputs[i]);
    storeTransposed(weightTile, loadColumn, loadRow, weights);
    __syncthreads();
    if (column + tileColumns < columns) load(column + tileColumns);
#pragma unroll
    for (int k = 0; k < tileColumns; ++k) {
      const float4 low = *reinterpret_cast<const float4*>(&inputTile[k][token]);
      const float4 high = *reinterpret_cast<const float4*>(&inputTile[k][token + 4]);
      const float4 four = *reinterpret_cast<const float4*>(&weightTile[k][row]);
      const float x[threadTokens] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
      const float w[threadRows] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int t = 0; t < threadTokens; ++t)
#pragma unroll
        for (int r = 0; r < threadRows; ++r) sums[t][r] = fmaf(x[t], w[r], sums[t][r]);
    }
    __syncthreads();
  }

#pragma unroll
  for (int r = 0; r < threadRows; ++r) {
    const int outputRow = firstRow + row + r;
    if (outputRow >= product.weight.rows) break;
    const float bias = product.bias == nullptr ? 0.0f : product.bias[outputRow];
#pragma unroll
    for (int t = 0; t < threadTokens; ++t) {
      const int outputToken = firstToken + token + t;
      if (outputToken < product.tokens)
        static_cast<float*>(product.output)[static_cast<std::size_t>(outputToken) * product.weight.rows + outputRow] =
            sums[t][r] + bias;
    }
  }
}

constexpr int vectorWarps = 8;
/** Rows of a warp: its loads of the input serve all of them. */
constexpr int vectorRows = 2;

/**
 * One to eight tokens; a warp takes two rows, its lanes four columns each of every 128.
 *
 * grid: rows / 16; block: 256.
 */
template <int Tokens>
__global__ void __launch_bounds__(32 * vectorWarps) float32VectorKernel(Product product) {
  const float* input = static_cast<const float*>(product.input);
  const float* weight = static_cast<const float*>(product.weight.values);
  const int rows = product.weight.rows;
  const int columns = product.weight.columns;
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int firstRow = (static_cast<int>(blockIdx.x) * vectorWarps + (static_cast<int>(threadIdx.x) >> 5)) * vectorRows;

  float sums[vectorRows][Tokens] = {};
#pragma unroll 4
  for (int column = lane * 4; column < columns; column += 128) {
    float4 w[vectorRows];
#pragma unroll
    for (int r = 0; r < vectorRows; ++r) {
      // A row beyond the last repeats it; its sum is not written.
      const int row = min(firstRow + r, rows - 1);
      w[r] = loadStreamed<float4>(weight + static_cast<std::size_t>(row) * columns + column);
    }
#pragma unroll
    for (int t = 0; t < Tokens; ++t) {
      const float4 x = loadFour(input, t, product.tokens, column, columns);
#pragma unroll
      for (int r = 0; r < vectorRows; ++r) {
        sums[r][t] = fmaf(w[r].x, x.x, sums[r][t]);
        sums[r][t] = fmaf(w[r].y, x.y, sums[r][t]);
        sums[r][t] = fmaf(w[r].z, x.z, sums[r][t]);
        sums[r][t] = fmaf(w[r].w, x.w, sums[r][t]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < vectorRows; ++r) {
#pragma unroll
    for (int t = 0; t < Tokens; ++t) {
      const float sum = warpSum(sums[r][t]);
      const int row = firstRow + r;
      if (lane == 0 && row < rows && t < product.tokens)
        static_cast<float*>(product.output)[static_cast<std::size_t>(t) * rows + row] =
            sum + (product.bias == nullptr ? 0.0f : product.bias[row]);
    }
  }
}

template <int Tokens>
void launchVectors(const Product& product, cudaStream_t stream) {
  const unsigned blocks = blocksFor(product.weight.rows, vectorWarps * vectorRows);
  launch(float32VectorKernel<Tokens>, dim3(blocks), dim3(32 * vectorWarps), 0, stream, product);
}

}  // namespace

void multiplyFloat32(const Product& product, cudaStream_t stream) {
  const dim3 grid(blocksFor(product.tokens, tileTokens), blocksFor(product.weight.rows, tileRows));
  launch(float32ProductKernel, grid, dim3(tileThreads), 0, stream, product);
}

void multiplyFloat32Vectors(const Product& product, cudaStream_t stream) {
  if (product.tokens == 1) return launchVectors<1>(product, stream);
  if (product.tokens == 2) return launchVectors<2>(product, stream);
  if (product.tokens <= 4) return launchVectors<4>(product, stream);
  return launchVectors<8>(product, stream);
}

}  // namespace locret
