#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * hidden[t] = table[tokenIds[t]] in float32. The table is of any format of products/weight-layout.h, also the very
 * matrix of a tied language head. Reads tokens rows of the table, writes tokens · columns · 4 bytes. Can be captured in
 * a graph.
 * @throws Error invalid-argument when there are no tokens, or columns are not a multiple of 4
 */
void embed(const Embed& embedding, cudaStream_t stream);

}  // namespace locret
