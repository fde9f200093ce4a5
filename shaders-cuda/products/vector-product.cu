#include "products/vector-product.h"

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "device/launch.cuh"
#include "products/float32-product.h"
#include "products/multiprocessors.h"
#include "products/store-output.cuh"
#include "products/vector-units.cuh"

namespace locret {
namespace {

constexpr int warpsOfBlock = 8;
/** Tokens of one `mma.m16n8k16` whose first operand are weights. */
constexpr int tokensOfFragment = 8;
/** About so many warps a multiprocessor needs in flight for its share of the bandwidth. */
constexpr int warpsForBandwidth = 16;
/** One more than the tokens, so that neighbouring rows of partial sums begin in different banks. */
constexpr int partialStride = tokensOfFragment + 1;

/** The eight numbers of the lane's token in both steps of 64 columns; zeros beyond tokens and columns. */
__device__ inline void loadInput(const Product& product, int columnBlock, int lane, uint4 (&input)[2]) {
  const int token = lane >> 2;
  const int columns = product.weight.columns;
  const auto* begin = static_cast<const std::uint16_t*>(product.input) + static_cast<std::size_t>(token) * columns;
#pragma unroll
  for (int step = 0; step < 2; ++step) {
    const int column = columnBlock * weightBlockColumns + step * stepColumns + (lane & 3) * columnsOfLane;
    input[step] = make_uint4(0u, 0u, 0u, 0u);
    if (token < product.tokens && column < columns) input[step] = *reinterpret_cast<const uint4*>(begin + column);
  }
}

/** Loads units `first`, first + 1, …; the last batch repeats its last unit, so that no load waits for a condition. */
template <typename Unit>
__device__ inline void loadBatch(const WeightMatrix& weight, int rowBlock, int first, int end, int lane,
                                 Unit (&units)[Unit::perBatch]) {
#pragma unroll
  for (int i = 0; i < Unit::perBatch; ++i) units[i].load(weight, rowBlock, min(first + i, end - 1), lane);
}

/**
 * One to eight tokens times 16-bit, int8 or int4 weights. A warp takes 16 rows and one of `splits` equal parts of the
 * columns; a block takes `warpsOfBlock / splits` times 16 rows and adds the parts in a fixed order. Weights of the next
 * batch are loaded before the current one is multiplied. The input comes through the L1 cache, where the blocks of a
 * multiprocessor share it.
 *
 * grid: rows / (16 · warpsOfBlock / splits); block: 32 · warpsOfBlock.
 */
template <NumberFormat Format>
__global__ void __launch_bounds__(32 * warpsOfBlock, 2) vectorProductKernel(Product product, int splits) {
  using Unit = VectorUnit<Format>;
  __shared__ float partial[warpsOfBlock * weightBlockRows * partialStride];
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int warp = static_cast<int>(threadIdx.x) >> 5;
  const int blockTiles = warpsOfBlock / splits;
  const int firstTile = static_cast<int>(blockIdx.x) * blockTiles;
  const int rowBlock = firstTile + warp / splits;
  const int units = columnBlocks(product.weight.columns);
  const int split = warp % splits;
  const int begin = units * split / splits;
  const int end = rowBlock < rowBlocks(product.weight.rows) ? units * (split + 1) / splits : begin;

  float sums[4] = {};
  Unit current[Unit::perBatch];
  Unit next[Unit::perBatch];
  if (begin < end) loadBatch(product.weight, rowBlock, begin, end, lane, current);
  for (int batch = begin; batch < end; batch += Unit::perBatch) {
    if (batch + Unit::perBatch < end) loadBatch(product.weight, rowBlock, batch + Unit::perBatch, end, lane, next);
#pragma unroll
    for (int i = 0; i < Unit::perBatch; ++i) {
      if (batch + i < end) {
        uint4 input[2];
        loadInput(product, batch + i, lane, input);
        current[i].multiplyAdd(input, sums);
      }
      current[i] = next[i];
    }
  }

#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int row = fragmentRow(i >> 1, lane >> 2);
    partial[(warp * weightBlockRows + row) * partialStride + 2 * (lane & 3) + (i & 1)] = sums[i];
  }
  __syncthreads();
  const int blockRows = blockTiles * weightBlockRows;
  for (int i = static_cast<int>(threadIdx.x); i < blockRows * product.tokens; i += 32 * warpsOfBlock) {
    const int token = i / blockRows;
    const int rowInBlock = i % blockRows;
    const int row = firstTile * weightBlockRows + rowInBlock;
    if (row >= product.weight.rows) continue;
    const int firstWarp = rowInBlock / weightBlockRows * splits;
    float sum = product.bias == nullptr ? 0.0f : product.bias[row];
    for (int s = 0; s < splits; ++s)
      sum += partial[((firstWarp + s) * weightBlockRows + rowInBlock % weightBlockRows) * partialStride + token];
    storeOutput<1>(product, static_cast<std::size_t>(token) * product.weight.rows + row, {sum});
  }
}

/** The fewest parts of the columns, up to the warps of a block, that keep every multiprocessor busy. */
int splitsFor(int tiles) {
  const int wanted = multiprocessorCount() * warpsForBandwidth;
  int splits = 1;
  while (splits < warpsOfBlock && tiles * splits < wanted) splits *= 2;
  return splits;
}

template <NumberFormat Format>
void launchVectorProduct(const Product& product, cudaStream_t stream) {
  const int tiles = rowBlocks(product.weight.rows);
  const int splits = splitsFor(tiles);
  const unsigned blocks = blocksFor(tiles, warpsOfBlock / splits);
  launch(vectorProductKernel<Format>, dim3(blocks), dim3(32 * warpsOfBlock), 0, stream, product, splits);
}

}  // namespace

void multiplyVectors(const Product& product, cudaStream_t stream) {
  switch (product.weight.format) {
    case NumberFormat::float32:
      return multiplyFloat32Vectors(product, stream);
    case NumberFormat::bfloat16:
      return launchVectorProduct<NumberFormat::bfloat16>(product, stream);
    case NumberFormat::float16:
      return launchVectorProduct<NumberFormat::float16>(product, stream);
    case NumberFormat::int8:
      return launchVectorProduct<NumberFormat::int8>(product, stream);
    case NumberFormat::int4:
      return launchVectorProduct<NumberFormat::int4>(product, stream);
  }
}

}  // namespace locret
