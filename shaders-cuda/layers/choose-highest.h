#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "device/types.h"

namespace locret {

/** Bytes of scratch that chooseHighest needs. */
std::size_t chooseScratchBytes(int rows);

/**
 * The index of the highest logit of each row, of equal ones the lowest index (-0 and 0 are equal); -1 for a row with a
 * NaN, whose logits mean nothing. Two launches: blocks find the highest of their share of a row, then a warp per row
 * the highest of those. The result does not depend on the order in which blocks run. Reads rows · vocabulary · 4 bytes.
 * Can be captured in a graph.
 * @throws Error invalid-argument when a size is not positive
 */
void chooseHighest(const ChooseHighest& choice, cudaStream_t stream);

}  // namespace locret
