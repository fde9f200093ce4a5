#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "products/weight-layout.h"

namespace locret {

/** The one of larger magnitude; of two that differ in sign only, the negative one. */
__host__ __device__ inline float moreExtreme(float first, float second) {
  const float firstMagnitude = fabsf(first);
  const float secondMagnitude = fabsf(second);
  if (firstMagnitude == secondMagnitude) return fminf(first, second);
  return firstMagnitude > secondMagnitude ? first : second;
}

/** The scale of a group before it is rounded to bfloat16; 0 for a group of zeros. */
__host__ __device__ inline float scaleOfExtreme(NumberFormat format, float extreme) {
  // Which sign the smaller of 0 and -0 has is left to the processor; packed weights must not depend on it.
  if (extreme == 0.0f) return 0.0f;
  return format == NumberFormat::int4 ? extreme / -8.0f : fabsf(extreme) / 127.0f;
}

/** The code of a weight: -8..7 (int4) or -127..127 (int8). */
__host__ __device__ inline int codeOfWeight(NumberFormat format, float weight, float scale) {
  if (scale == 0.0f) return 0;
  const float lowest = format == NumberFormat::int4 ? -8.0f : -127.0f;
  const float highest = format == NumberFormat::int4 ? 7.0f : 127.0f;
  return static_cast<int>(fminf(fmaxf(rintf(weight / scale), lowest), highest));
}

/** Writes the code of column 0..7 of eight columns into their word (int4) or two words (int8), which were zero. */
__host__ __device__ inline void placeCode(NumberFormat format, int column, int code, std::uint32_t (&words)[2]) {
  if (format == NumberFormat::int4) {
    words[0] |= static_cast<std::uint32_t>(code + 8) << int4CodeBit(column);
  } else {
    const int byte = int8CodeByte(column);
    words[byte >> 2] |= (static_cast<std::uint32_t>(code) & 0xffu) << (8 * (byte & 3));
  }
}

}  // namespace locret
