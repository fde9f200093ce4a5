#include "products/pack-weights.h"

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "products/quantization.h"
#include "products/weight-layout.h"

namespace locret {
namespace {

constexpr int blockThreads = 256;

/** The weights of a piece in row `row` of the matrix, from `column` on; zeros beyond its rows and columns. */
template <typename Source>
__device__ inline void loadSource(const PackWeights& weights, int row, int column, float (&values)[columnsOfLane]) {
  const bool ofPiece = row < weights.firstRow + weights.rowCount;
  const Source* begin =
      static_cast<const Source*>(weights.source) + static_cast<std::size_t>(row - weights.firstRow) * weights.columns;
#pragma unroll
  for (int i = 0; i < columnsOfLane; ++i)
    values[i] = ofPiece && column + i < weights.columns ? toFloat(begin[column + i]) : 0.0f;
}

/** float32, bfloat16 and float16: eight columns per thread. grid: (columns / 8 / 256, rows of the piece). */
template <typename Source, typename Target>
__global__ void __launch_bounds__(blockThreads) copyRowsKernel(PackWeights weights) {
  const int column = static_cast<int>(blockIdx.x * blockThreads + threadIdx.x) * columnsOfLane;
  const int row = weights.firstRow + static_cast<int>(blockIdx.y);
  if (column >= weights.columns) return;
  float values[columnsOfLane];
  loadSource<Source>(weights, row, column, values);
  Target* target = static_cast<Target*>(weights.values) + static_cast<std::size_t>(row) * weights.columns + column;
#pragma unroll
  for (int i = 0; i < columnsOfLane; ++i)
    if (column + i < weights.columns) target[i] = fromFloat<Target>(values[i]);
}

/**
 * int8 and int4: eight columns per thread; the neighbouring threads of a group agree on its extreme value. Covers the
 * blocks of 64 columns in whole. grid: (columns / 8 / 256, rows of the piece and what fills up behind the last).
 */
template <typename Source, NumberFormat Format>
__global__ void __launch_bounds__(blockThreads) quantizeRowsKernel(PackWeights weights) {
  constexpr int lanesOfGroup = columnsPerScale(Format) / columnsOfLane;
  const int column = static_cast<int>(blockIdx.x * blockThreads + threadIdx.x) * columnsOfLane;
  const int row = weights.firstRow + static_cast<int>(blockIdx.y);
  float values[columnsOfLane];
  loadSource<Source>(weights, row, column, values);
  float extreme = 0.0f;
#pragma unroll
  for (int i = 0; i < columnsOfLane; ++i) extreme = moreExtreme(extreme, values[i]);
#pragma unroll
  for (int distance = 1; distance < lanesOfGroup; distance *= 2)
    extreme = moreExtreme(extreme, __shfl_xor_sync(0xffffffffu, extreme, distance));
  if (column >= columnBlocks(weights.columns) * weightBlockColumns) return;

  const __nv_bfloat16 rounded = __float2bfloat16_rn(scaleOfExtreme(Format, extreme));
  const float scale = __bfloat162float(rounded);
  std::uint32_t words[2] = {};
#pragma unroll
  for (int i = 0; i < columnsOfLane; ++i) placeCode(Format, i, codeOfWeight(Format, values[i], scale), words);
  unsigned char* codes =
      static_cast<unsigned char*>(weights.values) + codesOffset(Format, row, column, weights.columns);
  if constexpr (Format == NumberFormat::int4) {
    *reinterpret_cast<std::uint32_t*>(codes) = words[0];
  } else {
    *reinterpret_cast<uint2*>(codes) = make_uint2(words[0], words[1]);
  }
  if (column % columnsPerScale(Format) == 0)
    static_cast<__nv_bfloat16*>(weights.scales)[scaleIndex(Format, row, column, weights.columns)] = rounded;
}

/** Rows that a piece writes: behind the last row of the matrix a block of 16 rows is filled up. */
int rowsToWrite(const PackWeights& weights) {
  const bool isLast = weights.firstRow + weights.rowCount == weights.rows;
  if (!isQuantized(weights.format) || !isLast) return weights.rowCount;
  return rowBlocks(weights.rows) * weightBlockRows - weights.firstRow;
}

void checkPiece(const PackWeights& weights) {
  layoutOf(weights.format, weights.rows, weights.columns);
  expect(!isQuantized(weights.sourceFormat), std::string("Weights to pack are ") + nameOf(weights.sourceFormat) +
                                                 "; expected float32, bfloat16 or float16.");
  expect(weights.firstRow >= 0 && weights.rowCount >= 1 && weights.rowCount <= weights.rows - weights.firstRow,
         "Cannot pack rows " + std::to_string(weights.firstRow) + " to " +
             std::to_string(static_cast<std::int64_t>(weights.firstRow) + weights.rowCount) + " into a matrix of " +
             std::to_string(weights.rows) + " rows.");
  expect(isQuantized(weights.format) == (weights.scales != nullptr),
         std::string("Weights in ") + nameOf(weights.format) +
             (isQuantized(weights.format) ? " need memory for scales." : " have no scales."));
}

/** Rows of one launch at most: a grid has no more in its second dimension. */
constexpr int rowsAtOnce = 65'535;

template <typename Source>
void launchPack(const PackWeights& weights, dim3 grid, cudaStream_t stream) {
  switch (weights.format) {
    case NumberFormat::float32:
      return launch(copyRowsKernel<Source, float>, grid, dim3(blockThreads), 0, stream, weights);
    case NumberFormat::bfloat16:
      return launch(copyRowsKernel<Source, __nv_bfloat16>, grid, dim3(blockThreads), 0, stream, weights);
    case NumberFormat::float16:
      return launch(copyRowsKernel<Source, __half>, grid, dim3(blockThreads), 0, stream, weights);
    case NumberFormat::int8:
      return launch(quantizeRowsKernel<Source, NumberFormat::int8>, grid, dim3(blockThreads), 0, stream, weights);
    case NumberFormat::int4:
      return launch(quantizeRowsKernel<Source, NumberFormat::int4>, grid, dim3(blockThreads), 0, stream, weights);
  }
}

}  // namespace

void packWeights(const PackWeights& weights, cudaStream_t stream) {
  checkPiece(weights);
  const unsigned blocks =
      blocksFor(columnBlocks(weights.columns) * (weightBlockColumns / columnsOfLane), blockThreads);
  const int rows = rowsToWrite(weights);
  withFloatType(weights.sourceFormat, "A tensor", [&]<class Source>(std::type_identity<Source>) {
    for (int done = 0; done < rows; done += rowsAtOnce) {
      PackWeights part = weights;
      part.firstRow = weights.firstRow + done;
      part.rowCount = weights.rowCount - done;
      part.source = static_cast<const Source*>(weights.source) + static_cast<std::size_t>(done) * weights.columns;
      launchPack<Source>(part, dim3(blocks, static_cast<unsigned>(std::min(rows - done, rowsAtOnce))), stream);
    }
  });
}

}  // namespace locret
