#pragma once

// Stands for CUDA's cuda_runtime.h where the kernels run on the processor.

#include "test/emulation/arithmetic.h"
#include "test/emulation/atomics.h"
#include "test/emulation/keywords.h"
#include "test/emulation/runtime-api.h"
#include "test/emulation/warp-functions.h"
#include "vector_types.h"
