#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * StreamingLLM (arXiv 2309.17453, section 3.2): the first four units, the sinks, and the newest ones stay. The rank is
 * infinity for slots 0..3, otherwise the slot itself: the same numbers as server/eviction/sink-recent.ts.
 * Writes kvHeads · count · 4 bytes.
 * @throws Error invalid-argument when a size is not positive, or a slot is not exact in float32 (2^24)
 */
void rankByRecency(const RankByRecency& ranking, cudaStream_t stream);

}  // namespace locret
