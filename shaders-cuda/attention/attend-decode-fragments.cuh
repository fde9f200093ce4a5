#pragma once

#include "attention/cache-format.cuh"
#include "attention/rope.cuh"
#include "device/tensor-core.cuh"
#include "device/warp.cuh"

// Keys, queries and values of a decode step as tensor cores take them, straight from memory: no shared memory is used.
// In what follows group = lane / 4 and member = lane % 4, as in device/tensor-core.cuh.

namespace locret {

/** Sizes of the decode kernel. A step is 16 units: two tiles of 8 keys, one block of 16 rows of values. */
template <int headDim>
struct DecodeStep {
  static constexpr int units = 16;
  static constexpr int keyTiles = 2;
  /** Pairs of vectors that a lane holds of a key or query; those beyond the head are zero. */
  static constexpr int pairs = headDim / 16;
  static constexpr int pairsPerLane = (pairs + 3) / 4;
  /** Vectors that a lane holds of a value. */
  static constexpr int vectors = headDim / vectorChannels;
  static constexpr int vectorsPerLane = (vectors + 7) / 8;
};

/**
 * A lane's share of a key or a query head, in T: vectors [pair][first or second][word]. Any order of channels gives the
 * same product as long as it is the same for both: member m holds pairs m, m + 4, … of its row, so that it can turn
 * them, and four lanes read 64 bytes that follow each other.
 */
template <int headDim>
struct HeadFragment {
  std::uint32_t words[DecodeStep<headDim>::pairsPerLane][2][4];
};

/** Which unit of an array of units of a cache a pointer and an element belong to. */
struct UnitPlace {
  const void* units;
  const void* scales;
  std::size_t element;
};

/** A lane's share of a key as it lies in the cache. */
template <NumberFormat format, int headDim>
struct RawKey {
  RawVector<format> vectors[DecodeStep<headDim>::pairsPerLane][2];
  GroupScale scales[DecodeStep<headDim>::pairsPerLane][2];
};

template <NumberFormat format, int headDim>
__device__ __forceinline__ void loadKey(const UnitPlace& key, int rotaryDim, RawKey<format, headDim>& raw) {
  using Step = DecodeStep<headDim>;
  const int member = laneIndex() % 4;
#pragma unroll
  for (int i = 0; i < Step::pairsPerLane; ++i) {
    const int index = member + 4 * i;
    // Loading the last pair again is cheaper than a branch; makeKey leaves it out.
    const VectorPair pair = vectorPairOf(min(index, Step::pairs - 1), rotaryDim);
    const std::size_t first = key.element + pair.first * vectorChannels;
    const std::size_t second = key.element + pair.second * vectorChannels;
    raw.vectors[i][0] = loadVector<format>(key.units, first);
    raw.vectors[i][1] = loadVector<format>(key.units, second);
    raw.scales[i][0] = loadGroupScale<format>(key.scales, first, headDim);
    raw.scales[i][1] = loadGroupScale<format>(key.scales, second, headDim);
  }
}

/** Packs a turned pair of vectors. */
template <class T>
__device__ __forceinline__ void packVectors(const float (&first)[vectorChannels], const float (&second)[vectorChannels],
                                            std::uint32_t (&words)[2][4]) {
#pragma unroll
  for (int word = 0; word < 4; ++word) {
    words[0][word] = packPair<T>(first[2 * word], first[2 * word + 1]);
    words[1][word] = packPair<T>(second[2 * word], second[2 * word + 1]);
  }
}

/**
 * A key, turned to its slot. Of a quantized one the channel scales are left out: the query is multiplied with them.
 * `centers` are the KV head's.
 */
template <class T, NumberFormat format, int headDim>
__device__ __forceinline__ void makeKey(const RawKey<format, headDim>& raw, const float* centers, const RopeTable& rope,
                                        int slot, HeadFragment<headDim>& key) {
  using Step = DecodeStep<headDim>;
  const int member = laneIndex() % 4;
#pragma unroll
  for (int i = 0; i < Step::pairsPerLane; ++i) {
    const int index = member + 4 * i;
    float first[vectorChannels] = {};
    float second[vectorChannels] = {};
    if (Step::pairs % 4 == 0 || index < Step::pairs) {
      const VectorPair pair = vectorPairOf(index, rope.rotaryDim);
      decodeVector<format>(raw.vectors[i][0], raw.scales[i][0], first);
      decodeVector<format>(raw.vectors[i][1], raw.scales[i][1], second);
      if constexpr (hasGroupScales(format)) {
#pragma unroll
        for (int four = 0; four < vectorChannels; four += 4) {
          float centerOfFirst[4];
          float centerOfSecond[4];
          loadFloats(centers + pair.first * vectorChannels + four, centerOfFirst);
          loadFloats(centers + pair.second * vectorChannels + four, centerOfSecond);
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            first[four + j] += centerOfFirst[j];
            second[four + j] += centerOfSecond[j];
          }
        }
      }
      if (pair.turned) turnVectors(first, second, rope, slot, index);
    }
    packVectors<T>(first, second, key.words[i]);
  }
}

/** A query head, turned to its slot and multiplied with the channel scales of its KV head unless those are null. */
template <class T, int headDim>
__device__ __forceinline__ void loadQuery(const T* query, const float* channelScales, const RopeTable& rope, int slot,
                                          bool present, HeadFragment<headDim>& fragment) {
  using Step = DecodeStep<headDim>;
  const int member = laneIndex() % 4;
#pragma unroll
  for (int i = 0; i < Step::pairsPerLane; ++i) {
    const int index = member + 4 * i;
    float first[vectorChannels] = {};
    float second[vectorChannels] = {};
    if (present && index < Step::pairs) {
      const VectorPair pair = vectorPairOf(index, rope.rotaryDim);
      loadFloats(query + pair.first * vectorChannels, first);
      loadFloats(query + pair.second * vectorChannels, second);
      if (pair.turned) turnVectors(first, second, rope, slot, index);
      if (channelScales != nullptr) {
#pragma unroll
        for (int j = 0; j < vectorChannels; ++j) {
          first[j] *= channelScales[pair.first * vectorChannels + j];
          second[j] *= channelScales[pair.second * vectorChannels + j];
        }
      }
    }
    packVectors<T>(first, second, fragment.words[i]);
  }
}

/** A lane's share of 16 values: units 2 · member, the next, and the two 8 further; vectors group, group + 8, …. */
template <NumberFormat format, int headDim>
struct RawValues {
  RawVector<format> vectors[DecodeStep<headDim>::vectorsPerLane][4];
  GroupScale scales[DecodeStep<headDim>::vectorsPerLane][4];
};

/** `element` is the first unit's; units from `count` on are read as the last one: their probabilities are 0. */
template <NumberFormat format, int headDim>
__device__ __forceinline__ void loadValues(const UnitPlace& values, int count, RawValues<format, headDim>& raw) {
  using Step = DecodeStep<headDim>;
  const int lane = laneIndex();
#pragma unroll
  for (int unit = 0; unit < 4; ++unit) {
    const int offset = min(2 * (lane % 4) + unit % 2 + 8 * (unit / 2), count - 1);
#pragma unroll
    for (int i = 0; i < Step::vectorsPerLane; ++i) {
      const int vector = min(lane / 4 + 8 * i, Step::vectors - 1);
      const std::size_t element = values.element + offset * headDim + vector * vectorChannels;
      raw.vectors[i][unit] = loadVector<format>(values.units, element);
      raw.scales[i][unit] = loadGroupScale<format>(values.scales, element, headDim);
    }
  }
}

/**
 * The transposed values of vector slot `slot`, as four A operands: rows group and group + 8 of operand t are channels
 * 2t and 2t + 1 of the lane's vector, columns the 16 units.
 */
template <class T, NumberFormat format, int headDim>
__device__ __forceinline__ void makeValues(const RawValues<format, headDim>& raw, int slot, std::uint32_t (&a)[4][4]) {
  if constexpr (hasGroupScales(format)) {
    float numbers[4][vectorChannels];
#pragma unroll
    for (int unit = 0; unit < 4; ++unit)
      decodeVector<format>(raw.vectors[slot][unit], raw.scales[slot][unit], numbers[unit]);
#pragma unroll
    for (int t = 0; t < 4; ++t) {
      a[t][0] = packPair<T>(numbers[0][2 * t], numbers[1][2 * t]);
      a[t][1] = packPair<T>(numbers[0][2 * t + 1], numbers[1][2 * t + 1]);
      a[t][2] = packPair<T>(numbers[2][2 * t], numbers[3][2 * t]);
      a[t][3] = packPair<T>(numbers[2][2 * t + 1], numbers[3][2 * t + 1]);
    }
  } else {
    constexpr unsigned int lowerHalves = 0x5410;
    constexpr unsigned int upperHalves = 0x7632;
    const auto& units = raw.vectors[slot];
#pragma unroll
    for (int t = 0; t < 4; ++t) {
      a[t][0] = __byte_perm(units[0].words[t], units[1].words[t], lowerHalves);
      a[t][1] = __byte_perm(units[0].words[t], units[1].words[t], upperHalves);
      a[t][2] = __byte_perm(units[2].words[t], units[3].words[t], lowerHalves);
      a[t][3] = __byte_perm(units[2].words[t], units[3].words[t], upperHalves);
    }
  }
}

}  // namespace locret
