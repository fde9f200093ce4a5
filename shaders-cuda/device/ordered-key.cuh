#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace locret {

/** Whether these are the bits of a float32 that is not a number. */
__host__ __device__ inline bool isNotANumber(std::uint32_t bits) {
  return (bits & 0x7fffffffu) > 0x7f800000u;
}

/**
 * Maps the bits of a float32 to an unsigned number of the same order; -0 and 0 become equal. What the TypeScript engine
 * does (server/engine/radix-selection.ts, orderedKey), with the sign bit flipped, so that digits are in order too.
 */
__host__ __device__ inline std::uint32_t orderedKey(std::uint32_t bits) {
  constexpr std::uint32_t sign = 0x80000000u;
  if (bits == sign) return sign;
  return (bits & sign) != 0u ? ~bits : bits | sign;
}

}  // namespace locret
