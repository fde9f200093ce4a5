#pragma once

#include "attention/attention-tile.cuh"
#include "device/number-formats.cuh"
#include "device/warp.cuh"

namespace locret {

/**
 * Attention of a warp's four query rows by plain multiply-adds: a lane is a key while logits are made, and every 32nd
 * channel while values are added up. Logits are in units of log2.
 */
struct AttendedRows {
  static constexpr int rows = 4;
  /** Keys of a tile: one per lane. */
  static constexpr int keys = lanesPerWarp;
  static constexpr int channelsPerLane = 4;

  float largest[rows];
  float sum[rows];
  float output[rows][channelsPerLane];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int row = 0; row < rows; ++row) {
      largest[row] = -INFINITY;
      sum[row] = 0.0f;
#pragma unroll
      for (int i = 0; i < channelsPerLane; ++i) output[row][i] = 0.0f;
    }
  }

  /**
   * Takes 32 units into account. `queries` is the warp's first row, `isVisible(row)` whether that row sees this lane's
   * key. 4 · headDim FLOPs per row and unit.
   */
  template <class IsVisible>
  __device__ __forceinline__ void attend(const float* queries, const float* keyTile, const float* valueTile,
                                         int headDim, float scaleLog2, IsVisible isVisible) {
    const int lane = laneIndex();
    const int stride = tileStride(headDim);
    float probabilities[rows];
#pragma unroll
    for (int row = 0; row < rows; ++row) {
      const float dot = dotRows(queries + row * stride, keyTile + lane * stride, headDim);
      const float logit = isVisible(row) ? dot * scaleLog2 : -INFINITY;
      const float before = largest[row];
      const float highest = fmaxf(before, warpMaximum(logit));
      // A row that sees nothing yet: subtracting -infinity would make NaN.
      const float base = highest == -INFINITY ? 0.0f : highest;
      const float correction = exp2f(before - base);
      probabilities[row] = exp2f(logit - base);
      largest[row] = highest;
      sum[row] = sum[row] * correction + warpSum(probabilities[row]);
#pragma unroll
      for (int i = 0; i < channelsPerLane; ++i) output[row][i] *= correction;
    }
    for (int key = 0; key < keys; ++key) {
      float values[channelsPerLane];
#pragma unroll
      for (int i = 0; i < channelsPerLane; ++i) {
        const int channel = lane + i * lanesPerWarp;
        values[i] = channel < headDim ? valueTile[key * stride + channel] : 0.0f;
      }
#pragma unroll
      for (int row = 0; row < rows; ++row) {
        const float probability = __shfl_sync(allLanes, probabilities[row], key);
#pragma unroll
        for (int i = 0; i < channelsPerLane; ++i) output[row][i] = fmaf(probability, values[i], output[row][i]);
      }
    }
  }
};

}  // namespace locret
