#pragma once

#include <cuda_runtime.h>

#include "device/error.h"

namespace locret {

/** Multiprocessors of the current device: how many blocks work at the same time is a multiple of it. */
inline int multiprocessorCount() {
  int device = 0;
  checkCuda(cudaGetDevice(&device), "Asking which device is current");
  int count = 0;
  checkCuda(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device), "Asking for the multiprocessors");
  return count;
}

}  // namespace locret
