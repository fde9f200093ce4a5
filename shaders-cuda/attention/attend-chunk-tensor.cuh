#pragma once

#include "attention/attend-chunk-tile.cuh"
#include "device/launch.cuh"

namespace locret {

/**
 * The softmax of a row so far, of which a lane holds some columns. Rows of a lane: lane / 4 and eight further, of each
 * block of 16. Logits are in units of log2, so that one exp2 makes a probability.
 */
template <int headDim>
struct RunningSoftmax {
  static constexpr int rowBlocks = ChunkTile<headDim>::rowBlocks;
  float largest[rowBlocks][2];
  /** Of this lane's columns only: the four lanes of a row add up at the end. */
  float sum[rowBlocks][2];
};

/** Logits of units that a row does not see become -infinity. */
template <int headDim>
__device__ __forceinline__ void maskTile(TileLogits<headDim>& logits, int firstRow, int lastToken, int group,
                                         int firstSlot, int retained, int window) {
  using Tile = ChunkTile<headDim>;
  const int lane = laneIndex();
#pragma unroll
  for (int block = 0; block < Tile::rowBlocks; ++block) {
#pragma unroll
    for (int part = 0; part < 2; ++part) {
      const int row = firstRow + warpIndex() * Tile::rowsPerWarp + 16 * block + 8 * part + lane / 4;
      const int own = retained + min(row / group, lastToken);
      const int begin = window > 0 ? own + 1 - window : 0;
#pragma unroll
      for (int column = 0; column < ChunkTile<headDim>::columnBlocks; ++column) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const int slot = firstSlot + 8 * column + 2 * (lane % 4) + i;
          if (slot > own || slot < begin) logits[block][column][2 * part + i] = -INFINITY;
        }
      }
    }
  }
}

/** Takes the largest logits of a tile into account: what was added up before is brought to the new scale. */
template <int headDim>
__device__ __forceinline__ void raiseLargest(const TileLogits<headDim>& logits, float scaleLog2,
                                             RunningSoftmax<headDim>& softmax, TileOutput<headDim>& output) {
  constexpr int rowBlocks = ChunkTile<headDim>::rowBlocks;
  float corrections[rowBlocks][2];
  bool raised = false;
#pragma unroll
  for (int block = 0; block < rowBlocks; ++block) {
#pragma unroll
    for (int part = 0; part < 2; ++part) {
      float largest = logits[block][0][2 * part];
#pragma unroll
      for (int column = 0; column < ChunkTile<headDim>::columnBlocks; ++column) {
        largest = fmaxf(largest, fmaxf(logits[block][column][2 * part], logits[block][column][2 * part + 1]));
      }
      const float before = softmax.largest[block][part];
      largest = fmaxf(warpMaximum<4>(largest) * scaleLog2, before);
      softmax.largest[block][part] = largest;
      raised = raised || largest > before;
      corrections[block][part] = largest > before ? exp2Fast(before - largest) : 1.0f;
    }
  }
  // After the first tiles the largest logits rarely grow.
  if (!__any_sync(allLanes, raised)) return;
#pragma unroll
  for (int block = 0; block < rowBlocks; ++block) {
#pragma unroll
    for (int part = 0; part < 2; ++part) {
      softmax.sum[block][part] *= corrections[block][part];
#pragma unroll
      for (int column = 0; column < headDim / 8; ++column) {
        output[block][column][2 * part] *= corrections[block][part];
        output[block][column][2 * part + 1] *= corrections[block][part];
      }
    }
  }
}

/** The tile's probabilities relative to the largest logits, which are added up, in the form multiplyValues takes. */
template <class T, int headDim>
__device__ __forceinline__ void makeProbabilities(const TileLogits<headDim>& logits, float scaleLog2,
                                                  RunningSoftmax<headDim>& softmax,
                                                  TileProbabilities<headDim>& probabilities) {
#pragma unroll
  for (int block = 0; block < ChunkTile<headDim>::rowBlocks; ++block) {
#pragma unroll
    for (int part = 0; part < 2; ++part) {
      const float largest = softmax.largest[block][part];
      // A row that sees nothing yet: subtracting -infinity would make NaN.
      const float base = largest == -INFINITY ? 0.0f : largest;
#pragma unroll
      for (int column = 0; column < ChunkTile<headDim>::columnBlocks; ++column) {
        const float left = exp2Fast(fmaf(logits[block][column][2 * part], scaleLog2, -base));
        const float right = exp2Fast(fmaf(logits[block][column][2 * part + 1], scaleLog2, -base));
        probabilities[block][column][part] = packPair<T>(left, right);
        softmax.sum[block][part] += left + right;
      }
    }
  }
}

/** Divides by the denominators and writes the rows of this warp, by way of its own rows of the queries' tile. */
template <class T, int headDim>
__device__ __forceinline__ void storeRows(const AttendChunk& attention, int kvHead, int firstRow, int rowCount,
                                          T* queries, const RunningSoftmax<headDim>& softmax,
                                          const TileOutput<headDim>& output) {
  using Tile = ChunkTile<headDim>;
  constexpr float ln2 = 0.6931471805599453f;
  const ProjectedTokens& tokens = attention.tokens;
  const int group = tokens.heads / tokens.kvHeads;
  const int lane = laneIndex();
  const int warpRow = warpIndex() * Tile::rowsPerWarp;
  __syncwarp();
#pragma unroll
  for (int block = 0; block < Tile::rowBlocks; ++block) {
#pragma unroll
    for (int part = 0; part < 2; ++part) {
      const int row = warpRow + 16 * block + 8 * part + lane / 4;
      const float sum = softmax.sum[block][part];
      const float inverse = 1.0f / sum;
#pragma unroll
      for (int column = 0; column < headDim / 8; ++column) {
        const std::uint32_t pair =
            packPair<T>(output[block][column][2 * part] * inverse, output[block][column][2 * part + 1] * inverse);
        *reinterpret_cast<std::uint32_t*>(queries + row * Tile::stride + 8 * column + 2 * (lane % 4)) = pair;
      }
      if (attention.logSums != nullptr && lane % 4 == 0 && firstRow + row < rowCount) {
        const QueryRow query = queryRowOf(firstRow + row, group, kvHead);
        attention.logSums[static_cast<std::size_t>(query.head) * tokens.tokens + query.token] =
            (softmax.largest[block][part] + log2f(sum)) * ln2;
      }
    }
  }
  __syncwarp();
  constexpr int vectors = headDim / vectorChannels;
  for (int index = lane; index < Tile::rowsPerWarp * vectors; index += lanesPerWarp) {
    const int row = warpRow + index / vectors;
    const int channel = index % vectors * vectorChannels;
    if (firstRow + row >= rowCount) continue;
    const QueryRow query = queryRowOf(firstRow + row, group, kvHead);
    const std::size_t target = (static_cast<std::size_t>(query.token) * tokens.heads + query.head) * headDim + channel;
    *reinterpret_cast<uint4*>(static_cast<T*>(attention.output) + target) =
        *reinterpret_cast<const uint4*>(queries + row * Tile::stride + channel);
  }
}

/** Writes what this part of the units contributes to the rows of this warp. */
template <int headDim>
__device__ __forceinline__ void storeParts(const ProjectedTokens& tokens, const AttentionParts& parts, int kvHead,
                                           int firstRow, int rowCount, const RunningSoftmax<headDim>& softmax,
                                           const TileOutput<headDim>& output) {
  using Tile = ChunkTile<headDim>;
  const int lane = laneIndex();
#pragma unroll
  for (int block = 0; block < Tile::rowBlocks; ++block) {
#pragma unroll
    for (int part = 0; part < 2; ++part) {
      const int row = firstRow + warpIndex() * Tile::rowsPerWarp + 16 * block + 8 * part + lane / 4;
      if (row >= rowCount) continue;
      const QueryRow query = queryRowOf(row, tokens.heads / tokens.kvHeads, kvHead);
      const std::size_t place =
          static_cast<std::size_t>(blockIdx.z) * parts.rows + query.token * tokens.heads + query.head;
#pragma unroll
      for (int column = 0; column < headDim / 8; ++column) {
        const float pair[2] = {output[block][column][2 * part], output[block][column][2 * part + 1]};
        storeFloats(parts.values + place * headDim + 8 * column + 2 * (lane % 4), pair);
      }
      if (lane % 4 == 0) {
        const float stat[2] = {softmax.largest[block][part], softmax.sum[block][part]};
        storeFloats(parts.sums + 2 * place, stat);
      }
    }
  }
}

/**
 * Blocks: x tiles of 128 query rows (the last tokens first, they have most to do), y KV heads, z parts of the units.
 * Four warps of 32 rows. While one tile of keys and values is multiplied, the next is copied.
 */
template <class T, int headDim>
__global__ void __launch_bounds__(ChunkTile<headDim>::threads, 2) attendChunkKernel(ChunkAttention chunk) {
  using Tile = ChunkTile<headDim>;
  LOCRET_DYNAMIC_SHARED(T, queries);
  constexpr int tileNumbers = Tile::keys * Tile::stride;
  T* const tiles = queries + Tile::rows * Tile::stride;
  constexpr float log2e = 1.4426950408889634f;

  const AttendChunk& attention = chunk.attention;
  const float scaleLog2 = attention.scale * log2e;
  const ProjectedTokens& tokens = attention.tokens;
  const int group = tokens.heads / tokens.kvHeads;
  const int kvHead = static_cast<int>(blockIdx.y);
  const int rowCount = tokens.tokens * group;
  const int firstRow = (static_cast<int>(gridDim.x) - 1 - static_cast<int>(blockIdx.x)) * Tile::rows;
  const int firstToken = firstRow / group;
  const int lastToken = (min(firstRow + Tile::rows, rowCount) - 1) / group;
  const VisibleUnits visible = visibleUnits(attention.retained, attention.window, firstToken, lastToken);
  const int unitEnd = attention.retained + tokens.tokens;
  const int tilesBegin = visible.begin / Tile::keys;
  const int tileCount = (visible.end + Tile::keys - 1) / Tile::keys - tilesBegin;
  const int parts = static_cast<int>(gridDim.z);
  const int part = static_cast<int>(blockIdx.z);
  const int begin = tilesBegin + static_cast<int>(static_cast<std::int64_t>(tileCount) * part / parts);
  const int end = tilesBegin + static_cast<int>(static_cast<std::int64_t>(tileCount) * (part + 1) / parts);

  const std::size_t valueCapacity = attention.valueCapacity > 0 ? attention.valueCapacity : attention.stagingCapacity;
  const T* keys =
      static_cast<const T*>(attention.keys) + static_cast<std::size_t>(kvHead) * attention.stagingCapacity * headDim;
  const T* values = static_cast<const T*>(attention.values) + kvHead * valueCapacity * headDim;

  RunningSoftmax<headDim> softmax;
  TileOutput<headDim> output;
#pragma unroll
  for (int block = 0; block < Tile::rowBlocks; ++block) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      softmax.largest[block][i] = -INFINITY;
      softmax.sum[block][i] = 0.0f;
    }
#pragma unroll
    for (int column = 0; column < headDim / 8; ++column) {
#pragma unroll
      for (int i = 0; i < 4; ++i) output[block][column][i] = 0.0f;
    }
  }

  if (begin < end) {
    beginTile<T, headDim>(keys, begin * Tile::keys, unitEnd, tiles);
    beginTile<T, headDim>(values, begin * Tile::keys, unitEnd, tiles + tileNumbers);
    commitCopies();
  }
  loadTurnedQueries<T, headDim>(attention, kvHead, firstRow, rowCount, queries);

#pragma unroll 1
  for (int tile = begin; tile < end; ++tile) {
    const int firstSlot = tile * Tile::keys;
    T* const keyTile = tiles + (tile - begin) % 2 * 2 * tileNumbers;
    waitForCopies<0>();
    // This tile is there for all, and nobody reads the one before any more.
    __syncthreads();
    if (tile + 1 < end) {
      T* const next = tiles + (tile + 1 - begin) % 2 * 2 * tileNumbers;
      beginTile<T, headDim>(keys, firstSlot + Tile::keys, unitEnd, next);
      beginTile<T, headDim>(values, firstSlot + Tile::keys, unitEnd, next + tileNumbers);
      commitCopies();
    }

    TileLogits<headDim> logits;
    multiplyKeys<T, headDim>(queries, keyTile, logits);
    if (firstSlot < visible.allBegin || firstSlot + Tile::keys > visible.allEnd) {
      maskTile<headDim>(logits, firstRow, lastToken, group, firstSlot, attention.retained, attention.window);
    }

    raiseLargest<headDim>(logits, scaleLog2, softmax, output);
    TileProbabilities<headDim> probabilities;
    makeProbabilities<T, headDim>(logits, scaleLog2, softmax, probabilities);
    multiplyValues<T, headDim>(keyTile + tileNumbers, probabilities, output);
  }

#pragma unroll
  for (int block = 0; block < Tile::rowBlocks; ++block) {
#pragma unroll
    for (int i = 0; i < 2; ++i) softmax.sum[block][i] = warpSum<4>(softmax.sum[block][i]);
  }
  if (parts == 1) {
    storeRows<T, headDim>(attention, kvHead, firstRow, rowCount, queries, softmax, output);
  } else {
    storeParts<headDim>(tokens, chunk.parts, kvHead, firstRow, rowCount, softmax, output);
  }
}

/** Launches the kernel for `parts` parts of the units. */
template <class T, int headDim>
void launchAttendChunk(const ChunkAttention& chunk, int parts, cudaStream_t stream) {
  using Tile = ChunkTile<headDim>;
  const ProjectedTokens& tokens = chunk.attention.tokens;
  const std::int64_t rows = static_cast<std::int64_t>(tokens.tokens) * (tokens.heads / tokens.kvHeads);
  const dim3 grid(blocksFor(rows, Tile::rows), static_cast<unsigned int>(tokens.kvHeads),
                  static_cast<unsigned int>(parts));
  launch(attendChunkKernel<T, headDim>, grid, dim3(Tile::threads), Tile::sharedBytes, stream, chunk);
}

}  // namespace locret
