#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "products/weight-layout.h"

namespace locret {

/**
 * The eight weights of `row` from `column` (a multiple of 8) on, as float32. For kernels that look rows up, like the
 * embedding; for any format and layout of products/weight-layout.h. Reads 16 bytes (16-bit formats), 32 (float32), 8 +
 * 2 (int8) or 4 + 2 (int4).
 */
__device__ inline void loadEightWeights(const WeightMatrix& matrix, int row, int column, float (&weights)[8]) {
  const std::size_t first = static_cast<std::size_t>(row) * matrix.columns + column;
  switch (matrix.format) {
    case NumberFormat::float32: {
      const float* values = static_cast<const float*>(matrix.values) + first;
      // A row of float32 may end after four columns.
      for (int i = 0; i < 8; ++i) weights[i] = column + i < matrix.columns ? values[i] : 0.0f;
      return;
    }
    case NumberFormat::bfloat16: {
      const __nv_bfloat16* values = static_cast<const __nv_bfloat16*>(matrix.values) + first;
      for (int i = 0; i < 8; ++i) weights[i] = __bfloat162float(values[i]);
      return;
    }
    case NumberFormat::float16: {
      const __half* values = static_cast<const __half*>(matrix.values) + first;
      for (int i = 0; i < 8; ++i) weights[i] = __half2float(values[i]);
      return;
    }
    case NumberFormat::int8:
    case NumberFormat::int4: {
      const unsigned char* codes =
          static_cast<const unsigned char*>(matrix.values) + codesOffset(matrix.format, row, column, matrix.columns);
      const float scale = __bfloat162float(
          static_cast<const __nv_bfloat16*>(matrix.scales)[scaleIndex(matrix.format, row, column, matrix.columns)]);
      for (int i = 0; i < 8; ++i) weights[i] = static_cast<float>(codeAt(matrix.format, codes, i)) * scale;
      return;
    }
  }
}

}  // namespace locret
