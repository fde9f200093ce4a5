#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * Chooses the cache units of each KV head that stay (Algorithm 1 of arXiv 2410.01805, line "top-b"): the first
 * `pinned`, the last `stabilizers`, and of the others those with the highest ranks; of equal ranks the newer unit (the
 * higher slot) stays. -0 and 0 are equal, infinities are ranks like any other. The same decisions as retainTopUnits in
 * server/engine/eviction.ts, bit for bit.
 *
 * `kvHeads` may be the heads of several layers, when their ranks follow each other: one launch then serves all of them.
 * Where `budget >= count`, all units stay: slots 0..count-1. When a rank is NaN, `invalid` becomes 1 (it is never set
 * to 0) and the slots are ascending, but mean nothing.
 *
 * Radix selection in one block per head: three histogram passes find the lowest rank that stays, two more write its
 * slots in ascending order. Reads kvHeads · count · 4 bytes six times, all but the first time from the caches; writes
 * kvHeads · budget · 4 bytes.
 *
 * @throws Error invalid-argument when the exempt units exceed the budget, or a size is not positive
 */
void selectUnits(const SelectUnits& selection, cudaStream_t stream);

}  // namespace locret
