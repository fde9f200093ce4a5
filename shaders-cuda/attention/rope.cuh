#pragma once

#include <string>

#include "device/error.h"
#include "device/number-formats.cuh"

// RoPE (arXiv 2104.09864, equation 34) with halves paired as transformers' rotate_half: channel c < rotaryDim / 2 is
// turned with channel c + rotaryDim / 2, the channels from rotaryDim on stay.

namespace locret {

/**
 * Two vectors of eight channels that a thread holds together, so that it can turn them. `index` is in
 * 0..headDim / 16 - 1. rotaryDim must be a multiple of 16: the halves then consist of whole vectors.
 */
struct VectorPair {
  int first;
  int second;
  bool turned;
};

__device__ __forceinline__ VectorPair vectorPairOf(int index, int rotaryDim) {
  const int half = rotaryDim / 16;
  if (index < half) return {index, index + half, true};
  return {2 * index, 2 * index + 1, false};
}

/** Turns the pair `index` of a key or query to `slot`. */
__device__ __forceinline__ void turnVectors(float (&first)[8], float (&second)[8], const RopeTable& rope, int slot,
                                            int index) {
  const std::size_t place = static_cast<std::size_t>(slot) * (rope.rotaryDim / 2) + index * 8;
#pragma unroll
  for (int four = 0; four < 2; ++four) {
    float cosine[4];
    float sine[4];
    loadFloats(rope.cosine + place + 4 * four, cosine);
    loadFloats(rope.sine + place + 4 * four, sine);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float low = first[4 * four + i];
      const float high = second[4 * four + i];
      first[4 * four + i] = fmaf(low, cosine[i], -high * sine[i]);
      second[4 * four + i] = fmaf(high, cosine[i], low * sine[i]);
    }
  }
}

/**
 * @throws Error model-unsupported unless rotaryDim is even and within the head; on tensor cores also a multiple of 16
 */
inline void expectRotaryDim(NumberFormat activation, int rotaryDim, int headDim) {
  const int step = activation == NumberFormat::float32 ? 2 : 16;
  if (rotaryDim >= step && rotaryDim <= headDim && rotaryDim % step == 0) return;
  throw Error("model-unsupported", "The model rotates " + std::to_string(rotaryDim) + " of " + std::to_string(headDim) +
                                       " channels per head; " + nameOf(activation) +
                                       " attention is made for multiples of " + std::to_string(step) +
                                       " up to the head's size. Use float32 or the processor.");
}

}  // namespace locret
