#pragma once

#include <cuda_runtime.h>

namespace locret {

/**
 * Loads what is read once: it leaves the caches first, so that it does not displace the input. `address` is aligned to
 * the size of `T` (4, 8 or 16 bytes).
 */
template <typename T>
__device__ __forceinline__ T loadStreamed(const void* address) {
  return __ldcs(static_cast<const T*>(address));
}

}  // namespace locret
