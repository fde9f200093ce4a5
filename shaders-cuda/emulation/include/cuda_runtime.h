#pragma once

// Stands for CUDA's cuda_runtime.h where the kernels run on the processor.

#include "emulation/arithmetic.h"
#include "emulation/atomics.h"
#include "emulation/keywords.h"
#include "emulation/runtime-api.h"
#include "emulation/warp-functions.h"
#include "vector_types.h"
