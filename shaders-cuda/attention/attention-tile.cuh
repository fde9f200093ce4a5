#pragma once

#include "attention/cache-format.cuh"
#include "attention/rope.cuh"

// Tiles of keys, values and queries in shared memory as float32, for the kernels that run without tensor cores. All
// threads of a one-dimensional block call these together.

namespace locret {

/** Numbers from one row of a tile to the next. Four more than a row has: rows then start in different banks. */
constexpr int tileStride(int headDim) { return headDim + 4; }

/** The rows of a tile of queries: the query heads of one KV head for neighbouring tokens, token by token. */
struct QueryRow {
  int token;
  int head;
};

__device__ __forceinline__ QueryRow queryRowOf(int row, int group, int kvHead) {
  const int token = row / group;
  return {token, kvHead * group + (row - token * group)};
}

/** Turns every row by RoPE, in place. `slotOf(row)` is the row's slot. Needs a barrier before and after. */
template <class SlotOf>
__device__ __forceinline__ void turnTile(float* tile, int rows, int headDim, const RopeTable& rope, int threads,
                                         SlotOf slotOf) {
  const int half = rope.rotaryDim / 2;
  for (int index = static_cast<int>(threadIdx.x); index < rows * half; index += threads) {
    const int row = index / half;
    const int pair = index - row * half;
    const std::size_t place = static_cast<std::size_t>(slotOf(row)) * half + pair;
    float* first = tile + row * tileStride(headDim) + pair;
    const float low = first[0];
    const float high = first[half];
    const float cosine = rope.cosine[place];
    const float sine = rope.sine[place];
    first[0] = fmaf(low, cosine, -high * sine);
    first[half] = fmaf(high, cosine, low * sine);
  }
}

/** Rounds a tile to the activations' format: what tensor cores would be given. */
template <class Activation>
__device__ __forceinline__ void roundTile(float* tile, int rows, int headDim, int threads) {
  for (int index = static_cast<int>(threadIdx.x); index < rows * headDim; index += threads) {
    float& number = tile[index / headDim * tileStride(headDim) + index % headDim];
    number = toFloat(fromFloat<Activation>(number));
  }
}

/**
 * Units firstSlot.. of a KV head, not turned; rows from `units` to `rows` become zero. `values`: values instead of
 * keys.
 */
template <NumberFormat format>
__device__ __forceinline__ void loadUnitTile(const LayerCacheView& cache, bool values, int kvHead, int firstSlot,
                                             int units, float* tile, int rows, int threads) {
  const int headDim = cache.headDim;
  const int vectorsPerUnit = headDim / vectorChannels;
  for (int vector = static_cast<int>(threadIdx.x); vector < rows * vectorsPerUnit; vector += threads) {
    const int row = vector / vectorsPerUnit;
    const int channel = (vector - row * vectorsPerUnit) * vectorChannels;
    float numbers[vectorChannels] = {};
    if (row < units) {
      const std::size_t unit = static_cast<std::size_t>(kvHead) * cache.capacity + firstSlot + row;
      const std::size_t element = unit * static_cast<std::size_t>(headDim) + channel;
      decodeVector<format>(loadVector<format>(values ? cache.values : cache.keys, element),
                           loadGroupScale<format>(values ? cache.valueScales : cache.keyScales, element, headDim),
                           numbers);
      if constexpr (hasGroupScales(format)) {
        if (!values) {
          const KeyChannels channels = keyChannelsOf(cache.keyChannelScales, kvHead, headDim);
#pragma unroll
          for (int i = 0; i < vectorChannels; ++i) {
            numbers[i] = (numbers[i] + channels.centers[channel + i]) * channels.scales[channel + i];
          }
        }
      }
    }
    float* target = tile + row * tileStride(headDim) + channel;
#pragma unroll
    for (int i = 0; i < vectorChannels; ++i) target[i] = numbers[i];
  }
}

/** Queries of rows firstRow.. of a KV head, not turned; rows from `count` to `rows` become zero. */
template <class Activation>
__device__ __forceinline__ void loadQueryTile(const ProjectedTokens& tokens, int kvHead, int firstRow, int count,
                                              float* tile, int rows, int threads) {
  const int headDim = tokens.headDim;
  const int group = tokens.heads / tokens.kvHeads;
  const auto* numbers = static_cast<const Activation*>(tokens.values);
  for (int index = static_cast<int>(threadIdx.x); index < rows * headDim; index += threads) {
    const int row = index / headDim;
    const int channel = index - row * headDim;
    float number = 0.0f;
    if (row < count) {
      const QueryRow query = queryRowOf(firstRow + row, group, kvHead);
      const std::size_t head = static_cast<std::size_t>(query.token) * (tokens.heads + 2 * tokens.kvHeads) + query.head;
      number = toFloat(numbers[head * static_cast<std::size_t>(headDim) + channel]);
    }
    tile[row * tileStride(headDim) + channel] = number;
  }
}

/** The product of a row of queries and a row of keys. */
__device__ __forceinline__ float dotRows(const float* query, const float* key, int headDim) {
  float sum = 0.0f;
  for (int channel = 0; channel < headDim; channel += 4) {
    const float4 q = *reinterpret_cast<const float4*>(query + channel);
    const float4 k = *reinterpret_cast<const float4*>(key + channel);
    sum = fmaf(q.x, k.x, sum);
    sum = fmaf(q.y, k.y, sum);
    sum = fmaf(q.z, k.z, sum);
    sum = fmaf(q.w, k.w, sum);
  }
  return sum;
}

}  // namespace locret
