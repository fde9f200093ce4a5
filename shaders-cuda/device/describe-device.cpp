#include "device/describe-device.h"

#include <cuda_runtime.h>

#include "device/error.h"

namespace locret {

std::string describeDevice() {
  int device = 0;
  checkCuda(cudaGetDevice(&device), "Looking for a CUDA device");
  cudaDeviceProp properties{};
  checkCuda(cudaGetDeviceProperties(&properties, device), "Reading the device's properties");
  int driver = 0;
  checkCuda(cudaDriverGetVersion(&driver), "Reading the driver's version");
  return std::string(properties.name) + ", compute capability " + std::to_string(properties.major) + "." +
         std::to_string(properties.minor) + ", " + std::to_string(properties.multiProcessorCount) +
         " multiprocessors, " + std::to_string(properties.totalGlobalMem >> 20) + " MiB, driver for CUDA " +
         std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10);
}

}  // namespace locret
