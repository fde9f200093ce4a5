#pragma once

#include "attention/attend-chunk-tensor.h"
#include "attention/attention-tile.cuh"
#include "attention/rope.cuh"
#include "attention/visible-units.cuh"
#include "device/tensor-core.cuh"
#include "device/warp.cuh"

namespace locret {

/** Sizes of the tensor-core kernel. */
template <int headDim>
struct ChunkTile {
  static constexpr int warps = 4;
  static constexpr int threads = warps * lanesPerWarp;
  /** Two blocks of 16 rows per warp: keys and values, once loaded into registers, serve both. */
  static constexpr int rowBlocks = 2;
  static constexpr int rowsPerWarp = 16 * rowBlocks;
  static constexpr int rows = warps * rowsPerWarp;
  static_assert(rows == chunkRowsPerBlock);
  /** With more of them, the logits of large heads would not fit the registers beside the output. */
  static constexpr int keys = headDim > 80 ? 32 : 64;
  static constexpr int columnBlocks = keys / 8;
  /** Eight more than a row has: rows 16 bytes apart modulo 128, so that ldmatrix meets no bank twice. */
  static constexpr int stride = headDim + 8;
  static constexpr std::size_t sharedBytes = static_cast<std::size_t>(rows + 4 * keys) * stride * 2;
};

/** What a lane holds of rows · keys, as mma leaves it: [block of 16 rows][block of 8 keys][number]. */
template <int headDim>
using TileLogits = float[ChunkTile<headDim>::rowBlocks][ChunkTile<headDim>::columnBlocks][4];

/** The same as probabilities, packed in pairs of neighbouring keys: [block of 16 rows][block of 8 keys][row part]. */
template <int headDim>
using TileProbabilities = std::uint32_t[ChunkTile<headDim>::rowBlocks][ChunkTile<headDim>::columnBlocks][2];

/** What a lane holds of rows · channels: [block of 16 rows][block of 8 channels][number]. */
template <int headDim>
using TileOutput = float[ChunkTile<headDim>::rowBlocks][headDim / 8][4];

/** Query rows firstRow.. of a KV head, turned by RoPE, into shared memory; rows behind the last become zero. */
template <class T, int headDim>
__device__ __forceinline__ void loadTurnedQueries(const AttendChunk& attention, int kvHead, int firstRow, int rowCount,
                                                  T* queries) {
  using Tile = ChunkTile<headDim>;
  constexpr int pairs = headDim / 16;
  const ProjectedTokens& tokens = attention.tokens;
  const int group = tokens.heads / tokens.kvHeads;
  for (int index = static_cast<int>(threadIdx.x); index < Tile::rows * pairs; index += Tile::threads) {
    const int row = index / pairs;
    const int pairIndex = index - row * pairs;
    const VectorPair pair = vectorPairOf(pairIndex, attention.rope.rotaryDim);
    float first[vectorChannels] = {};
    float second[vectorChannels] = {};
    if (firstRow + row < rowCount) {
      const QueryRow query = queryRowOf(firstRow + row, group, kvHead);
      const std::size_t head = static_cast<std::size_t>(query.token) * (tokens.heads + 2 * tokens.kvHeads) + query.head;
      const T* numbers = static_cast<const T*>(tokens.values) + head * headDim;
      loadFloats(numbers + pair.first * vectorChannels, first);
      loadFloats(numbers + pair.second * vectorChannels, second);
      if (pair.turned) turnVectors(first, second, attention.rope, attention.retained + query.token, pairIndex);
    }
    storeFloats(queries + row * Tile::stride + pair.first * vectorChannels, first);
    storeFloats(queries + row * Tile::stride + pair.second * vectorChannels, second);
  }
}

/** Begins to copy the units of a tile to shared memory; those from `end` on become zero. */
template <class T, int headDim>
__device__ __forceinline__ void beginTile(const T* units, int firstSlot, int end, T* tile) {
  using Tile = ChunkTile<headDim>;
  constexpr int vectors = headDim / vectorChannels;
  const T* source = units + static_cast<std::size_t>(firstSlot) * headDim;
#pragma unroll
  for (int step = 0; step < Tile::keys * vectors / Tile::threads; ++step) {
    const int index = step * Tile::threads + static_cast<int>(threadIdx.x);
    const int unit = index / vectors;
    const int vector = index - unit * vectors;
    // Behind the end nothing is read, so the address need not be one of the units'.
    beginCopy16(tile + unit * Tile::stride + vector * vectorChannels, source + unit * headDim + vector * vectorChannels,
                unit < end - firstSlot);
  }
}

/** logits[b][k] = rows of block b · keys 8k.. of the tile. */
template <class T, int headDim>
__device__ __forceinline__ void multiplyKeys(const T* queries, const T* keys, TileLogits<headDim>& logits) {
  using Tile = ChunkTile<headDim>;
  const int lane = laneIndex();
  const T* queryRow = queries + (warpIndex() * Tile::rowsPerWarp + lane % 16) * Tile::stride + lane / 16 * 8;
  const T* keyRow = keys + (lane / 16 * 8 + lane % 8) * Tile::stride + lane / 8 % 2 * 8;
#pragma unroll
  for (int block = 0; block < Tile::rowBlocks; ++block) {
#pragma unroll
    for (int column = 0; column < Tile::columnBlocks; ++column) {
#pragma unroll
      for (int i = 0; i < 4; ++i) logits[block][column][i] = 0.0f;
    }
  }
#pragma unroll
  for (int step = 0; step < headDim / 16; ++step) {
    std::uint32_t a[Tile::rowBlocks][4];
#pragma unroll
    for (int block = 0; block < Tile::rowBlocks; ++block) {
      loadMatricesX4(a[block], queryRow + 16 * block * Tile::stride + 16 * step);
    }
#pragma unroll
    for (int columns = 0; columns < Tile::columnBlocks / 2; ++columns) {
      std::uint32_t loaded[4];
      loadMatricesX4(loaded, keyRow + 16 * columns * Tile::stride + 16 * step);
      const std::uint32_t left[2] = {loaded[0], loaded[1]};
      const std::uint32_t right[2] = {loaded[2], loaded[3]};
#pragma unroll
      for (int block = 0; block < Tile::rowBlocks; ++block) {
        multiplyM16N8K16<T>(logits[block][2 * columns], a[block], left);
        multiplyM16N8K16<T>(logits[block][2 * columns + 1], a[block], right);
      }
    }
  }
}

/** output += probabilities · values of the tile. */
template <class T, int headDim>
__device__ __forceinline__ void multiplyValues(const T* values, const TileProbabilities<headDim>& probabilities,
                                               TileOutput<headDim>& output) {
  using Tile = ChunkTile<headDim>;
  const int lane = laneIndex();
  const T* valueRow = values + lane % 16 * Tile::stride + lane / 16 * 8;
#pragma unroll
  for (int step = 0; step < Tile::columnBlocks / 2; ++step) {
    std::uint32_t a[Tile::rowBlocks][4];
#pragma unroll
    for (int block = 0; block < Tile::rowBlocks; ++block) {
#pragma unroll
      for (int part = 0; part < 4; ++part) a[block][part] = probabilities[block][2 * step + part / 2][part % 2];
    }
#pragma unroll
    for (int columns = 0; columns < headDim / 16; ++columns) {
      std::uint32_t loaded[4];
      loadMatricesX4Transposed(loaded, valueRow + 16 * step * Tile::stride + 16 * columns);
      const std::uint32_t left[2] = {loaded[0], loaded[1]};
      const std::uint32_t right[2] = {loaded[2], loaded[3]};
#pragma unroll
      for (int block = 0; block < Tile::rowBlocks; ++block) {
        multiplyM16N8K16<T>(output[block][2 * columns], a[block], left);
        multiplyM16N8K16<T>(output[block][2 * columns + 1], a[block], right);
      }
    }
  }
}

}  // namespace locret
