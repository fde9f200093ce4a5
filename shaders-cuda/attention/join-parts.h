#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "device/types.h"

namespace locret {

/**
 * What parts of the units contribute to the attention of each row, a row being a query head of a token
 * (row = token · heads + head). Flash decoding: a softmax over all units is made of softmaxes over parts of them.
 */
struct AttentionParts {
  /** Not divided by the denominators, float32 `[parts, rows, headDim]`; not read where a part's denominator is 0. */
  float* values;
  /**
   * Per part and row: largest logit in units of log2, and the sum of 2^(logit - largest), float32 `[parts, rows, 2]`.
   */
  float* sums;
  std::int32_t parts;
  std::int32_t rows;
  std::int32_t headDim;
};

/** Bytes of the scratch that `attentionParts` divides. */
std::size_t attentionPartsBytes(std::size_t parts, std::size_t rows, int headDim);

/** The two arrays in a scratch area. */
AttentionParts attentionParts(void* scratch, int parts, int rows, int headDim);

/** Where the joined attention goes. */
struct JoinParts {
  AttentionParts parts;
  /** `[rows, headDim]` in `format`. */
  void* output;
  NumberFormat format;
  /** Logs of the denominators, float32 `[heads, tokens]`, or null. */
  float* logSums;
  std::int32_t heads;
};

/**
 * output = Σ 2^(m_p - m) · values_p / Σ 2^(m_p - m) · sum_p over the parts p, with m the largest m_p. Reads each part
 * once: parts · rows · (headDim + 2) · 4 bytes.
 */
void joinParts(const JoinParts& join, cudaStream_t stream);

}  // namespace locret
