#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "device/tensor-core.cuh"
#include "products/weight-fragments.cuh"
#include "products/weight-layout.h"

namespace locret {

/**
 * Sizes of a block's part of a product on tensor cores: `Tokens × Rows` of the output, by warps of `WarpTokens ×
 * WarpRows`, over stages of 32 columns (16-bit weights) or of 64 (a weight block). `Stages` of them are in shared
 * memory: one is multiplied, the others are on their way.
 *
 * In shared memory a stage is `[step][token][32 columns]` of the input, then the weights: `[row][32 columns]`, or the
 * blocks of codes as they lie in device memory, then their scales. Rows of 32 columns are 64 bytes: the eight lanes
 * that are served together read two rows in whole, 128 bytes in a row. So there are no bank conflicts, and nothing is
 * swizzled; that lanes own eight consecutive columns (products/weight-layout.h) makes one 16-byte read of two
 * `ldmatrix`.
 */
template <NumberFormat Format, int Tokens, int Rows, int WarpTokens, int WarpRows, int Stages>
struct TensorTile {
  static constexpr NumberFormat format = Format;
  using Operand = TensorOperand<Format>;
  static constexpr int tokens = Tokens;
  static constexpr int rows = Rows;
  static constexpr int warpTokens = WarpTokens;
  static constexpr int warpRows = WarpRows;
  static constexpr int stages = Stages;
  static constexpr int steps = isQuantized(Format) ? 2 : 1;
  static constexpr int columns = steps * stepColumns;
  static constexpr int warpsOverTokens = Tokens / WarpTokens;
  static constexpr int threads = 32 * warpsOverTokens * (Rows / WarpRows);
  static constexpr int stepBytes = stepColumns * 2;
  static constexpr int blocks = Rows / weightBlockRows;
  static constexpr int inputBytes = steps * Tokens * stepBytes;
  static constexpr int weightBytes = isQuantized(Format) ? blocks * weightBlockBytes(Format) : Rows * stepBytes;
  static constexpr int scaleBytes = isQuantized(Format) ? blocks * weightBlockScales(Format) * 2 : 0;
  static constexpr int stageBytes = inputBytes + weightBytes + scaleBytes;
  static constexpr int sharedBytes = Stages * stageBytes;
  static constexpr int tokenFragments = WarpTokens / 16;
  /** Fragments of 16 rows: two of the eight rows that an MMA takes. */
  static constexpr int rowFragments = WarpRows / weightBlockRows;

  static_assert(Tokens % WarpTokens == 0 && Rows % WarpRows == 0);
  static_assert(WarpTokens % 16 == 0 && WarpRows % weightBlockRows == 0);
  static_assert(inputBytes % (16 * threads) == 0 && weightBytes % (16 * threads) == 0);

  /** `[16 tokens][16 rows][eight rows][c0..c3]` of a warp, as `mma.m16n8k16` leaves them. */
  using Sums = float[tokenFragments][rowFragments][2][4];
};

/**
 * Starts the copy of `Rows` rows × `Steps` steps of columns of a 16-bit matrix `[rows, columns]` to shared memory, as
 * `[step][row][32 columns]`. Zeros stand for what lies beyond the matrix.
 */
template <int Rows, int Steps, int Threads>
__device__ inline void copyRows(unsigned char* shared, const std::uint16_t* matrix, int firstRow, int rows,
                                int firstColumn, int columns) {
  constexpr int pieces = stepColumns / columnsOfLane;
#pragma unroll
  for (int i = 0; i < Steps * Rows * pieces / Threads; ++i) {
    const int piece = i * Threads + static_cast<int>(threadIdx.x);
    const int step = piece / (Rows * pieces);
    const int row = firstRow + piece / pieces % Rows;
    const int column = firstColumn + step * stepColumns + piece % pieces * columnsOfLane;
    const bool inside = row < rows && column < columns;
    const std::uint16_t* source = inside ? matrix + static_cast<std::size_t>(row) * columns + column : matrix;
    beginCopy16(shared + piece * 16, source, inside);
  }
}

/** The same for codes or scales: of each of `Blocks` blocks of 16 rows the `Bytes` of one block of columns. */
template <int Blocks, int Bytes, int Threads>
__device__ inline void copyBlocks(unsigned char* shared, const unsigned char* matrix, int firstBlock, int blocks,
                                  int columnBlock, int columnBlocksOfRow) {
  constexpr int pieces = Bytes / 16;
#pragma unroll
  for (int i = 0; i < (Blocks * pieces + Threads - 1) / Threads; ++i) {
    const int piece = i * Threads + static_cast<int>(threadIdx.x);
    if (Blocks * pieces % Threads != 0 && piece >= Blocks * pieces) break;
    const int block = firstBlock + piece / pieces;
    const bool inside = block < blocks;
    const std::size_t index = inside ? static_cast<std::size_t>(block) * columnBlocksOfRow + columnBlock : 0;
    beginCopy16(shared + piece * 16, matrix + index * Bytes + piece % pieces * 16, inside);
  }
}

/** Starts the copy of one stage: columns from `stage * Tile::columns` on. */
template <typename Tile>
__device__ inline void copyStage(unsigned char* shared, const Product& product, int firstToken, int firstRow,
                                 int stage) {
  const auto* input = static_cast<const std::uint16_t*>(product.input);
  const int columns = product.weight.columns;
  const int firstColumn = stage * Tile::columns;
  unsigned char* weights = shared + Tile::inputBytes;
  copyRows<Tile::tokens, Tile::steps, Tile::threads>(shared, input, firstToken, product.tokens, firstColumn, columns);
  if constexpr (isQuantized(Tile::format)) {
    const auto* codes = static_cast<const unsigned char*>(product.weight.values);
    const auto* scales = static_cast<const unsigned char*>(product.weight.scales);
    const int firstBlock = firstRow / weightBlockRows;
    const int blocks = rowBlocks(product.weight.rows);
    copyBlocks<Tile::blocks, weightBlockBytes(Tile::format), Tile::threads>(weights, codes, firstBlock, blocks, stage,
                                                                            columnBlocks(columns));
    copyBlocks<Tile::blocks, weightBlockScales(Tile::format) * 2, Tile::threads>(
        weights + Tile::weightBytes, scales, firstBlock, blocks, stage, columnBlocks(columns));
  } else {
    copyRows<Tile::rows, 1, Tile::threads>(weights, static_cast<const std::uint16_t*>(product.weight.values), firstRow,
                                           product.weight.rows, firstColumn, columns);
  }
}

/** Eight numbers of a row of 32 columns in shared memory, as four pairs. */
__device__ inline void readPairs(const unsigned char* row, int lane, std::uint32_t (&pairs)[4]) {
  const uint4 words = *reinterpret_cast<const uint4*>(row + (lane & 3) * 16);
  pairs[0] = words.x;
  pairs[1] = words.y;
  pairs[2] = words.z;
  pairs[3] = words.w;
}

/**
 * The lane's weights of one block of 16 rows in one step, for both of its rows, as pairs in the activation's format.
 * Quantized ones are multiplied by their scale here, which rounds them to bfloat16. `weights` is a stage's part of the
 * tile.
 */
template <typename Tile>
__device__ inline void readWeights(const unsigned char* weights, int block, int step, int lane,
                                   std::uint32_t (&pairs)[2][4]) {
  if constexpr (!isQuantized(Tile::format)) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = block * weightBlockRows + fragmentRow(half, lane >> 2);
      readPairs(weights + row * Tile::stepBytes, lane, pairs[half]);
    }
  } else {
    const unsigned char* codes = weights + block * weightBlockBytes(Tile::format);
    const unsigned char* scales = weights + Tile::weightBytes + block * weightBlockScales(Tile::format) * 2;
    std::uint32_t rowScales;
    if constexpr (Tile::format == NumberFormat::int4) {
      const uint4 words = *reinterpret_cast<const uint4*>(codes + lane * 16);
      int4Pairs(step == 0 ? words.x : words.z, pairs[0]);
      int4Pairs(step == 0 ? words.y : words.w, pairs[1]);
      rowScales = *reinterpret_cast<const std::uint32_t*>(scales + (lane >> 2) * 8 + step * 4);
    } else {
      const uint4 words = *reinterpret_cast<const uint4*>(codes + step * 512 + lane * 16);
      int8Pairs(words.x, words.y, pairs[0]);
      int8Pairs(words.z, words.w, pairs[1]);
      rowScales = *reinterpret_cast<const std::uint32_t*>(scales + (lane >> 2) * 4);
    }
    const std::uint32_t first = lowerHalfTwice(rowScales);
    const std::uint32_t second = upperHalfTwice(rowScales);
#pragma unroll
    for (int p = 0; p < 4; ++p) {
      pairs[0][p] = multiplyPairs(pairs[0][p], first);
      pairs[1][p] = multiplyPairs(pairs[1][p], second);
    }
  }
}

/** Multiplies a stage in shared memory and adds to the warp's sums. */
template <typename Tile>
__device__ inline void multiplyStage(const unsigned char* shared, int warpToken, int warpRow, int lane,
                                     typename Tile::Sums& sums) {
#pragma unroll
  for (int step = 0; step < Tile::steps; ++step) {
    std::uint32_t weights[Tile::rowFragments][2][4];
#pragma unroll
    for (int r = 0; r < Tile::rowFragments; ++r)
      readWeights<Tile>(shared + Tile::inputBytes, warpRow / weightBlockRows + r, step, lane, weights[r]);
#pragma unroll
    for (int t = 0; t < Tile::tokenFragments; ++t) {
      const unsigned char* row = shared + (step * Tile::tokens + warpToken + t * 16 + (lane >> 2)) * Tile::stepBytes;
      std::uint32_t upper[4];
      std::uint32_t lower[4];
      readPairs(row, lane, upper);
      readPairs(row + 8 * Tile::stepBytes, lane, lower);
#pragma unroll
      for (int k = 0; k < 2; ++k)
#pragma unroll
        for (int r = 0; r < Tile::rowFragments; ++r)
#pragma unroll
          for (int half = 0; half < 2; ++half)
            multiplyM16N8K16<typename Tile::Operand>(sums[t][r][half],
                                                {upper[2 * k], lower[2 * k], upper[2 * k + 1], lower[2 * k + 1]},
                                                {weights[r][half][2 * k], weights[r][half][2 * k + 1]});
    }
  }
}

/**
 * Adds input · Wᵀ over all columns to the sums of the block's tile, whose first token and row are given. Every thread
 * of the block calls it. `shared` has `Tile::sharedBytes`.
 */
template <typename Tile>
__device__ inline void multiplyTile(const Product& product, int firstToken, int firstRow, int warpToken, int warpRow,
                                    unsigned char* shared, typename Tile::Sums& sums) {
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int stageCount = (product.weight.columns + Tile::columns - 1) / Tile::columns;
#pragma unroll
  for (int stage = 0; stage < Tile::stages - 1; ++stage) {
    if (stage < stageCount) copyStage<Tile>(shared + stage * Tile::stageBytes, product, firstToken, firstRow, stage);
    commitCopies();
  }
  int slot = 0;
  int freeSlot = Tile::stages - 1;
  for (int stage = 0; stage < stageCount; ++stage) {
    waitForCopies<Tile::stages - 2>();
    // Past this barrier every thread's copies of this stage have landed, and the slot of the stage before is free.
    __syncthreads();
    const int ahead = stage + Tile::stages - 1;
    if (ahead < stageCount)
      copyStage<Tile>(shared + freeSlot * Tile::stageBytes, product, firstToken, firstRow, ahead);
    commitCopies();
    multiplyStage<Tile>(shared + slot * Tile::stageBytes, warpToken, warpRow, lane, sums);
    freeSlot = slot;
    slot = slot + 1 == Tile::stages ? 0 : slot + 1;
  }
}

}  // namespace locret
