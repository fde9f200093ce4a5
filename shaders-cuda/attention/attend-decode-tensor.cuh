#pragma once

#include "attention/attend-decode-fragments.cuh"
#include "attention/attend-decode-tensor.h"
#include "attention/decode-parts.cuh"
#include "attention/with-head-dim.h"
#include "device/launch.cuh"

namespace locret {

inline constexpr int decodeWarps = 8;
inline constexpr int decodeThreads = decodeWarps * lanesPerWarp;

/** What a warp adds up. `headTiles`: 1 for up to 8 query heads per KV head, 2 for up to 16. */
template <int headDim, int headTiles>
struct DecodeSums {
  /** Of query head group + 8 · tile; logits in units of log2. The sum is of this lane's units only. */
  float largest[headTiles];
  float sum[headTiles];
  /**
   * [tile][vector slot][operand of makeValues]: channels 2t (numbers 0, 1) and 2t + 1 of heads 2 · member and the
   * next.
   */
  float output[headTiles][DecodeStep<headDim>::vectorsPerLane][4][4];
};

/** logits[tile of keys] = queries · keys: number i is query head group + 8 · (i / 2), key 2 · member + i % 2. */
template <class T, int headDim, int headTiles>
__device__ __forceinline__ void multiplyKey(const HeadFragment<headDim> (&queries)[headTiles],
                                            const HeadFragment<headDim>& key, float (&logits)[4]) {
#pragma unroll
  for (int i = 0; i < DecodeStep<headDim>::pairsPerLane; ++i) {
#pragma unroll
    for (int side = 0; side < 2; ++side) {
#pragma unroll
      for (int word = 0; word < 4; word += 2) {
        std::uint32_t a[4] = {queries[0].words[i][side][word], 0, queries[0].words[i][side][word + 1], 0};
        if constexpr (headTiles == 2) {
          a[1] = queries[1].words[i][side][word];
          a[3] = queries[1].words[i][side][word + 1];
        }
        const std::uint32_t b[2] = {key.words[i][side][word], key.words[i][side][word + 1]};
        multiplyM16N8K16<T>(logits, a, b);
      }
    }
  }
}

/** Makes the step's probabilities, as B operands over its 16 units, and brings the sums to the new scale. */
template <class T, int headDim, int headTiles>
__device__ __forceinline__ void stepSoftmax(const float (&logits)[2][4], DecodeSums<headDim, headTiles>& sums,
                                            std::uint32_t (&probabilities)[headTiles][2]) {
  const int member = laneIndex() % 4;
#pragma unroll
  for (int tile = 0; tile < headTiles; ++tile) {
    const float before = sums.largest[tile];
    float largest =
        fmaxf(fmaxf(logits[0][2 * tile], logits[0][2 * tile + 1]), fmaxf(logits[1][2 * tile], logits[1][2 * tile + 1]));
    largest = fmaxf(warpMaximum<4>(largest), before);
    sums.largest[tile] = largest;
    const float correction = exp2Fast(before - largest);
    float sum = sums.sum[tile] * correction;
#pragma unroll
    for (int keys = 0; keys < 2; ++keys) {
      const float left = exp2Fast(logits[keys][2 * tile] - largest);
      const float right = exp2Fast(logits[keys][2 * tile + 1] - largest);
      probabilities[tile][keys] = packPair<T>(left, right);
      sum += left + right;
    }
    sums.sum[tile] = sum;
    if (!__any_sync(allLanes, largest > before)) continue;
    const float even = __shfl_sync(allLanes, correction, 8 * member);
    const float odd = __shfl_sync(allLanes, correction, 8 * member + 4);
#pragma unroll
    for (int i = 0; i < DecodeStep<headDim>::vectorsPerLane; ++i) {
#pragma unroll
      for (int t = 0; t < 4; ++t) {
        sums.output[tile][i][t][0] *= even;
        sums.output[tile][i][t][1] *= odd;
        sums.output[tile][i][t][2] *= even;
        sums.output[tile][i][t][3] *= odd;
      }
    }
  }
}

/** Writes what the part contributes to the query heads of the KV head, `firstRow` on. */
template <int headDim, int headTiles>
__device__ __forceinline__ void storeSums(const AttentionParts& parts, int part, int firstRow, int group,
                                          const DecodeSums<headDim, headTiles>& sums) {
  using Step = DecodeStep<headDim>;
  const int lane = laneIndex();
#pragma unroll
  for (int tile = 0; tile < headTiles; ++tile) {
    const float sum = warpSum<4>(sums.sum[tile]);
    const int own = 8 * tile + lane / 4;
    const std::size_t row = static_cast<std::size_t>(part) * parts.rows + firstRow;
    if (lane % 4 == 0 && own < group) {
      const float stat[2] = {sums.largest[tile], sum};
      storeFloats(parts.sums + 2 * (row + own), stat);
    }
#pragma unroll
    for (int head = 0; head < 2; ++head) {
      const int other = 8 * tile + 2 * (lane % 4) + head;
      if (other >= group) continue;
#pragma unroll
      for (int i = 0; i < Step::vectorsPerLane; ++i) {
        const int vector = lane / 4 + 8 * i;
        if (vector >= Step::vectors) continue;
        float* target = parts.values + (row + other) * headDim + vector * vectorChannels;
#pragma unroll
        for (int t = 0; t < 4; ++t) {
          const float pair[2] = {sums.output[tile][i][t][head], sums.output[tile][i][t][2 + head]};
          storeFloats(target + 2 * t, pair);
        }
      }
    }
  }
}

/**
 * A warp per KV head and part of the units; the warps of a block are neighbouring KV heads of the same part as far as
 * there are that many, so that they read the same cosines and sines.
 */
template <class T, NumberFormat format, int headDim, int headTiles>
__global__ void __launch_bounds__(decodeThreads, 1) attendDecodeKernel(DecodeAttention decode) {
  using Step = DecodeStep<headDim>;
  constexpr float log2e = 1.4426950408889634f;
  const AttendDecode& attention = decode.attention;
  const ProjectedTokens& tokens = attention.tokens;
  const LayerCacheView& cache = attention.cache;
  const int lane = laneIndex();
  const int job = static_cast<int>(blockIdx.x) * decodeWarps + warpIndex();
  const int part = job / cache.kvHeads;
  const int kvHead = job - part * cache.kvHeads;
  if (part >= decode.parts.parts) return;
  const int group = tokens.heads / tokens.kvHeads;
  const int length = *attention.length;
  const DecodePart units = decodePart(length, attention.window, part, decode.parts.parts, Step::units);

  DecodeSums<headDim, headTiles> sums;
#pragma unroll
  for (int tile = 0; tile < headTiles; ++tile) {
    sums.largest[tile] = -INFINITY;
    sums.sum[tile] = 0.0f;
#pragma unroll
    for (int i = 0; i < Step::vectorsPerLane; ++i) {
#pragma unroll
      for (int t = 0; t < 4; ++t) {
#pragma unroll
        for (int number = 0; number < 4; ++number) sums.output[tile][i][t][number] = 0.0f;
      }
    }
  }
  if (units.begin >= units.end) {
    // The denominator 0 says that there are no values: they are neither written nor read.
    if (lane < group) {
      const float stat[2] = {-INFINITY, 0.0f};
      storeFloats(decode.parts.sums + 2 * (static_cast<std::size_t>(part) * decode.parts.rows + kvHead * group + lane),
                  stat);
    }
    return;
  }

  const float* channelScales = nullptr;
  const float* centers = nullptr;
  if constexpr (hasGroupScales(format)) {
    const KeyChannels channels = keyChannelsOf(cache.keyChannelScales, kvHead, headDim);
    channelScales = channels.scales;
    centers = channels.centers;
  }
  HeadFragment<headDim> queries[headTiles];
#pragma unroll
  for (int tile = 0; tile < headTiles; ++tile) {
    const int own = 8 * tile + lane / 4;
    const T* query = static_cast<const T*>(tokens.values) + (kvHead * group + min(own, group - 1)) * headDim;
    loadQuery<T, headDim>(query, channelScales, attention.rope, length, own < group, queries[tile]);
  }

  const int firstUnit = kvHead * cache.capacity;
  const float scaleLog2 = attention.scale * log2e;
  RawKey<format, headDim> rawKeys[Step::keyTiles];
  const auto loadKeys = [&](int slot) {
#pragma unroll
    for (int tile = 0; tile < Step::keyTiles; ++tile) {
      const int own = min(slot + 8 * tile + lane / 4, units.end - 1);
      loadKey<format, headDim>({cache.keys, cache.keyScales, static_cast<std::size_t>(firstUnit + own) * headDim},
                               attention.rope.rotaryDim, rawKeys[tile]);
    }
  };
  loadKeys(units.begin);
#pragma unroll 1
  for (int slot = units.begin; slot < units.end; slot += Step::units) {
    RawValues<format, headDim> rawValues;
    const auto loadStepValues = [&] {
      loadValues<format, headDim>(
          {cache.values, cache.valueScales, static_cast<std::size_t>(firstUnit + slot) * headDim}, units.end - slot,
          rawValues);
    };
    // Early, while the keys are multiplied, unless more query heads leave too few registers for both.
    if (headTiles == 1) loadStepValues();

    float logits[Step::keyTiles][4] = {};
#pragma unroll
    for (int tile = 0; tile < Step::keyTiles; ++tile) {
      HeadFragment<headDim> key;
      const int own = min(slot + 8 * tile + lane / 4, units.end - 1);
      makeKey<T, format, headDim>(rawKeys[tile], centers, attention.rope, own, key);
      multiplyKey<T, headDim, headTiles>(queries, key, logits[tile]);
#pragma unroll
      for (int number = 0; number < 4; ++number) {
        const bool visible = slot + 8 * tile + 2 * (lane % 4) + number % 2 < units.end;
        logits[tile][number] = visible ? logits[tile][number] * scaleLog2 : -INFINITY;
      }
    }
    const bool hasNext = slot + Step::units < units.end;
    if (headTiles > 1) loadStepValues();
    // The next keys are on their way while the values are multiplied, with the same exception.
    if (headTiles == 1 && hasNext) loadKeys(slot + Step::units);

    std::uint32_t probabilities[headTiles][2];
    stepSoftmax<T, headDim, headTiles>(logits, sums, probabilities);
#pragma unroll
    for (int i = 0; i < Step::vectorsPerLane; ++i) {
      std::uint32_t a[4][4];
      makeValues<T, format, headDim>(rawValues, i, a);
#pragma unroll
      for (int t = 0; t < 4; ++t) {
#pragma unroll
        for (int tile = 0; tile < headTiles; ++tile) {
          multiplyM16N8K16<T>(sums.output[tile][i][t], a[t], probabilities[tile]);
        }
      }
    }
    if (headTiles > 1 && hasNext) loadKeys(slot + Step::units);
  }
  storeSums<headDim, headTiles>(decode.parts, part, kvHead * group, group, sums);
}

/** Launches the kernel for the cache's format, the head's size and the number of query heads per KV head. */
template <class T>
void launchAttendDecode(const DecodeAttention& decode, cudaStream_t stream) {
  const ProjectedTokens& tokens = decode.attention.tokens;
  const dim3 grid(blocksFor(static_cast<std::int64_t>(decode.parts.parts) * tokens.kvHeads, decodeWarps));
  const bool few = tokens.heads / tokens.kvHeads <= 8;
  withCacheFormat(decode.attention.cache.format, formatOf<T>(), [&](auto format) {
    constexpr NumberFormat cacheFormat = decltype(format)::value;
    if constexpr (hasGroupScales(cacheFormat) || cacheFormat == formatOf<T>()) {
      withHeadDim(tokens.headDim, [&](auto headDim) {
        constexpr int size = decltype(headDim)::value;
        const auto kernel =
            few ? attendDecodeKernel<T, cacheFormat, size, 1> : attendDecodeKernel<T, cacheFormat, size, 2>;
        launch(kernel, grid, dim3(decodeThreads), 0, stream, decode);
      });
    }
  });
}

}  // namespace locret
