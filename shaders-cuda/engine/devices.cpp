#include "engine/devices.h"

#include <cuda_runtime.h>

#include <mutex>

#include "device/device-memory.h"
#include "device/error.h"
#include "engine/device-code.h"
#include "products/product-choice.h"

namespace locret {
namespace {

std::mutex usesMutex;
int uses = 0;
bool wasUsed = false;

/** Gives back what the driver holds on the current device. Once anything was kept there, it would be lost. */
void releaseListedDevice() {
  const std::lock_guard lock(usesMutex);
  if (!wasUsed && allocationCounters().buffers == 0) cudaDeviceReset();
}

std::string problemOf(cudaError_t result, int driverVersion) {
  switch (result) {
    case cudaErrorNoDevice:
      return "there is no NVIDIA GPU that the driver shows to this process";
    case cudaErrorInsufficientDriver:
      return driverVersion == 0 ? "no NVIDIA driver is installed"
                                : "the NVIDIA driver is too old for CUDA 13: install version 580 or newer";
    default:
      return std::string(cudaGetErrorString(result)) + " (" + cudaGetErrorName(result) + ")";
  }
}

DeviceFacts factsOf(int device) {
  cudaDeviceProp properties{};
  checkCuda(cudaGetDeviceProperties(&properties, device), "Asking for the properties of a device");
  DeviceFacts facts{.name = properties.name,
                    .computeMajor = properties.major,
                    .computeMinor = properties.minor,
                    .multiprocessors = properties.multiProcessorCount,
                    .supported = hasCodeFor(compiledArchitectures(), properties.major, properties.minor),
                    .totalBytes = properties.totalGlobalMem,
                    .freeBytes = 0};
  // A device that is taken by another process alone, or broken, has no memory for us.
  std::size_t total = 0;
  if (cudaSetDevice(device) == cudaSuccess && cudaMemGetInfo(&facts.freeBytes, &total) != cudaSuccess) {
    facts.freeBytes = 0;
  }
  cudaGetLastError();
  releaseListedDevice();
  return facts;
}

}  // namespace

DeviceList listDevices() {
  DeviceList list{};
  cudaDriverGetVersion(&list.driver.driverVersion);
  cudaRuntimeGetVersion(&list.driver.runtimeVersion);
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess) {
    cudaGetLastError();
    list.driver.problem = problemOf(result, list.driver.driverVersion);
    return list;
  }
  for (int device = 0; device < count; ++device) list.devices.push_back(factsOf(device));
  return list;
}

DeviceUse::DeviceUse() {
  const std::lock_guard lock(usesMutex);
  ++uses;
  wasUsed = true;
}

DeviceUse::~DeviceUse() {
  const std::lock_guard lock(usesMutex);
  --uses;
  if (uses == 0) forgetProductChoices();
}

}  // namespace locret
