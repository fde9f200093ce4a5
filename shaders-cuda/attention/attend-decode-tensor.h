#pragma once

#include <cuda_runtime.h>

#include "attention/join-parts.h"
#include "device/types.h"

namespace locret {

/** A decode step's attention and the parts that its kernel leaves for joinParts. */
struct DecodeAttention {
  AttendDecode attention;
  AttentionParts parts;
};

/** attendDecode's first kernel on tensor cores, at most 16 query heads per KV head. The arguments have been checked. */
void attendDecodeBfloat16(const DecodeAttention& decode, cudaStream_t stream);
void attendDecodeFloat16(const DecodeAttention& decode, cudaStream_t stream);

/** The same in float32, by plain multiply-adds. */
void attendDecodeFloat(const DecodeAttention& decode, cudaStream_t stream);

}  // namespace locret
