#pragma once

#include <cstddef>

#include "test/emulation/block.h"

// The words that CUDA adds to C++. Shared memory is thread-local: a block runs on one thread of the processor.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __shared__ static thread_local
#define __grid_constant__

#define threadIdx (::locret::emulation::currentThread->threadIndex)
#define blockIdx (::locret::emulation::currentThread->blockIndex)
#define blockDim (::locret::emulation::currentThread->blockSize)
#define gridDim (::locret::emulation::currentThread->gridSize)

inline constexpr int warpSize = 32;
