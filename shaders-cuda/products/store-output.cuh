#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/number-formats.cuh"

namespace locret {

/** Writes `Count` consecutive numbers of an output of `Product`, rounded to its format; aligned to their size. */
template <int Count>
__device__ __forceinline__ void storeOutput(const Product& product, std::size_t at, const float (&values)[Count]) {
  switch (product.outputFormat) {
    case NumberFormat::float32:
      return storeFloats(static_cast<float*>(product.output) + at, values);
    case NumberFormat::bfloat16:
      return storeFloats(static_cast<__nv_bfloat16*>(product.output) + at, values);
    case NumberFormat::float16:
      return storeFloats(static_cast<__half*>(product.output) + at, values);
    case NumberFormat::int8:
    case NumberFormat::int4:
      return;
  }
}

}  // namespace locret
