#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "device/error.h"
#include "device/types.h"

// Numbers between memory and float32, in which everything is computed; for host and device code.

namespace locret {

template <class T>
inline constexpr bool isFloating =
    std::is_same_v<T, float> || std::is_same_v<T, __nv_bfloat16> || std::is_same_v<T, __half>;

/** The NumberFormat of a C++ type. */
template <class T>
constexpr NumberFormat formatOf() {
  static_assert(isFloating<T>);
  if constexpr (std::is_same_v<T, float>) return NumberFormat::float32;
  if constexpr (std::is_same_v<T, __nv_bfloat16>) return NumberFormat::bfloat16;
  return NumberFormat::float16;
}

/** Bits of one number; scales not counted. */
constexpr int bitsOf(NumberFormat format) {
  switch (format) {
    case NumberFormat::float32:
      return 32;
    case NumberFormat::bfloat16:
    case NumberFormat::float16:
      return 16;
    case NumberFormat::int8:
      return 8;
    case NumberFormat::int4:
      return 4;
  }
  return 0;
}

/** Bytes of `count` numbers; scales not counted. */
constexpr std::size_t bytesOf(NumberFormat format, std::size_t count) {
  return (count * static_cast<std::size_t>(bitsOf(format)) + 7) / 8;
}

/** The format's name as settings and messages have it. */
constexpr const char* nameOf(NumberFormat format) {
  switch (format) {
    case NumberFormat::float32:
      return "float32";
    case NumberFormat::bfloat16:
      return "bfloat16";
    case NumberFormat::float16:
      return "float16";
    case NumberFormat::int8:
      return "int8";
    case NumberFormat::int4:
      return "int4";
  }
  return "unknown";
}

/**
 * Calls `use(std::type_identity<T>{})` with the C++ type of a floating format; returns what it returns. Throws Error
 * for int8 and int4, naming `what` has that format.
 */
template <class Use>
auto withFloatType(NumberFormat format, const char* what, Use&& use) {
  switch (format) {
    case NumberFormat::float32:
      return use(std::type_identity<float>{});
    case NumberFormat::bfloat16:
      return use(std::type_identity<__nv_bfloat16>{});
    case NumberFormat::float16:
      return use(std::type_identity<__half>{});
    case NumberFormat::int8:
    case NumberFormat::int4:
      break;
  }
  throw Error("invalid-argument",
              std::string(what) + " is " + nameOf(format) + "; expected float32, bfloat16 or float16.");
}

/** A number as float32; exact. */
template <class T>
__host__ __device__ __forceinline__ float toFloat(T value) {
  static_assert(isFloating<T>);
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __bfloat162float(value);
  } else {
    return __half2float(value);
  }
}

/** The nearest number of T, ties to even. float16 beyond 65,504 becomes infinite. */
template <class T>
__host__ __device__ __forceinline__ T fromFloat(float value) {
  static_assert(isFloating<T>);
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __float2bfloat16_rn(value);
  } else {
    return __float2half_rn(value);
  }
}

}  // namespace locret
