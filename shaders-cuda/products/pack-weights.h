#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * Writes rows of a checkpoint's tensor into a weight matrix (see products/weight-layout.h). Rows may come in pieces and
 * from several tensors (q, k and v; gate and up): each piece names the row where it begins. The piece that ends with
 * the matrix's last row fills up what lies behind it.
 */
struct PackWeights {
  /** `[rowCount, columns]` on the device, in `sourceFormat`: float32, bfloat16 or float16. */
  const void* source;
  NumberFormat sourceFormat;
  std::int32_t firstRow;
  std::int32_t rowCount;
  /** The matrix that is written; `layoutOf(format, rows, columns)` says how many bytes values and scales take. */
  NumberFormat format;
  void* values;
  /** int8 and int4; otherwise null. */
  void* scales;
  std::int32_t rows;
  std::int32_t columns;
};

/**
 * Packs on the device; the same source gives the same bytes on every device. Quantization is symmetric, one scale per
 * group of columns of a row. int4 has codes -8..7 and the scale `extreme / -8`, so that the weight of the largest
 * magnitude takes the longer side; of two that differ in sign only, the negative one counts. int8 has codes -127..127
 * and the scale `|extreme| / 127`. Scales are rounded to bfloat16 before the codes are computed from them.
 *
 * Reads the source once and writes values and scales once. Throws `Error` for formats and sizes that do not fit.
 */
void packWeights(const PackWeights& weights, cudaStream_t stream);

}  // namespace locret
