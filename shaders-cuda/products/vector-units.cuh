#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "device/tensor-core.cuh"
#include "products/streamed-load.cuh"
#include "products/weight-fragments.cuh"
#include "products/weight-layout.h"

namespace locret {

/**
 * Adds the product of two rows of weights per lane with the tokens, over one step: two MMAs. `upper` and `lower` are
 * the lane's eight columns of its rows 0 and 1 as pairs, `input` those of its token.
 */
template <typename Operand>
__device__ inline void multiplyStep(const std::uint32_t (&upper)[4], const std::uint32_t (&lower)[4],
                                    const uint4& input, float (&sums)[4]) {
  multiplyM16N8K16<Operand>(sums, {upper[0], lower[0], upper[1], lower[1]}, {input.x, input.y});
  multiplyM16N8K16<Operand>(sums, {upper[2], lower[2], upper[3], lower[3]}, {input.z, input.w});
}

/** Adds sums over a group of columns, times the scales of the lane's two rows. */
__device__ inline void addScaled(const float (&groupSums)[4], std::uint32_t scales, float (&sums)[4]) {
  const float upper = floatOfLowerHalf(scales);
  const float lower = floatOfUpperHalf(scales);
  sums[0] = fmaf(upper, groupSums[0], sums[0]);
  sums[1] = fmaf(upper, groupSums[1], sums[1]);
  sums[2] = fmaf(lower, groupSums[2], sums[2]);
  sums[3] = fmaf(lower, groupSums[3], sums[3]);
}

/**
 * Weights of 16 rows × 64 columns in the registers of a warp, for a product with up to eight tokens. The weights are
 * the first operand of `mma.m16n8k16`: 16 rows at once, and the work is the same for one token as for eight. `load`
 * only loads; `multiplyAdd` adds rows × tokens to the accumulators, given the lane's eight numbers of both steps of the
 * input.
 */
template <NumberFormat Format>
struct VectorUnit {
  /** Units that a lane has in flight: 4 KB per warp. */
  static constexpr int perBatch = 2;

  /** `[step][row 0/1 of the lane]` */
  uint4 words[2][2];

  /** 16-bit weights lie row after row; what lies beyond the matrix is zero. */
  __device__ void load(const WeightMatrix& weight, int rowBlock, int columnBlock, int lane) {
    const std::uint16_t* values = static_cast<const std::uint16_t*>(weight.values);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = rowBlock * weightBlockRows + fragmentRow(half, lane >> 2);
#pragma unroll
      for (int step = 0; step < 2; ++step) {
        const int column = columnBlock * weightBlockColumns + step * stepColumns + (lane & 3) * columnsOfLane;
        words[step][half] = make_uint4(0u, 0u, 0u, 0u);
        if (row < weight.rows && column < weight.columns)
          words[step][half] = loadStreamed<uint4>(values + static_cast<std::size_t>(row) * weight.columns + column);
      }
    }
  }

  __device__ void multiplyAdd(const uint4 (&input)[2], float (&sums)[4]) const {
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      const std::uint32_t upper[4] = {words[step][0].x, words[step][0].y, words[step][0].z, words[step][0].w};
      const std::uint32_t lower[4] = {words[step][1].x, words[step][1].y, words[step][1].z, words[step][1].w};
      multiplyStep<TensorOperand<Format>>(upper, lower, input[step], sums);
    }
  }
};

template <>
struct VectorUnit<NumberFormat::int8> {
  static constexpr int perBatch = 4;

  uint4 codes[2];
  /** Of the two rows of the lane. */
  std::uint32_t scales;

  __device__ void load(const WeightMatrix& weight, int rowBlock, int columnBlock, int lane) {
    constexpr NumberFormat format = NumberFormat::int8;
    const std::size_t block = static_cast<std::size_t>(rowBlock) * columnBlocks(weight.columns) + columnBlock;
    const unsigned char* begin = static_cast<const unsigned char*>(weight.values) + block * weightBlockBytes(format);
    codes[0] = loadStreamed<uint4>(begin + lane * 16);
    codes[1] = loadStreamed<uint4>(begin + 512 + lane * 16);
    scales = loadStreamed<std::uint32_t>(static_cast<const std::uint16_t*>(weight.scales) +
                                         block * weightBlockScales(format) + (lane >> 2) * 2);
  }

  __device__ void multiplyAdd(const uint4 (&input)[2], float (&sums)[4]) const {
    float groupSums[4] = {};
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      std::uint32_t upper[4];
      std::uint32_t lower[4];
      int8Pairs(codes[step].x, codes[step].y, upper);
      int8Pairs(codes[step].z, codes[step].w, lower);
      multiplyStep<__nv_bfloat16>(upper, lower, input[step], groupSums);
    }
    addScaled(groupSums, scales, sums);
  }
};

template <>
struct VectorUnit<NumberFormat::int4> {
  static constexpr int perBatch = 4;

  uint4 codes;
  /** `[step]`, of the two rows of the lane. */
  uint2 scales;

  __device__ void load(const WeightMatrix& weight, int rowBlock, int columnBlock, int lane) {
    constexpr NumberFormat format = NumberFormat::int4;
    const std::size_t block = static_cast<std::size_t>(rowBlock) * columnBlocks(weight.columns) + columnBlock;
    const unsigned char* begin = static_cast<const unsigned char*>(weight.values) + block * weightBlockBytes(format);
    codes = loadStreamed<uint4>(begin + lane * 16);
    scales = loadStreamed<uint2>(static_cast<const std::uint16_t*>(weight.scales) + block * weightBlockScales(format) +
                                 (lane >> 2) * 4);
  }

  __device__ void multiplyAdd(const uint4 (&input)[2], float (&sums)[4]) const {
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      float groupSums[4] = {};
      std::uint32_t upper[4];
      std::uint32_t lower[4];
      int4Pairs(step == 0 ? codes.x : codes.z, upper);
      int4Pairs(step == 0 ? codes.y : codes.w, lower);
      multiplyStep<__nv_bfloat16>(upper, lower, input[step], groupSums);
      addScaled(groupSums, step == 0 ? scales.x : scales.y, sums);
    }
  }
};

}  // namespace locret
