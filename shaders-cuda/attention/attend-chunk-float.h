#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/** attendChunk for float32, by plain multiply-adds. The arguments have been checked. */
void attendChunkFloat(const AttendChunk& attention, cudaStream_t stream);

}  // namespace locret
