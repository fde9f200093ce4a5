#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/**
 * Products with float32 activations and weights, without tensor cores: as exact as float32 is, for conformance and
 * small models. 2 · tokens · rows · columns FLOPs.
 */
void multiplyFloat32(const Product& product, cudaStream_t stream);

/** The same for one to eight tokens, reading the weights once. */
void multiplyFloat32Vectors(const Product& product, cudaStream_t stream);

}  // namespace locret
