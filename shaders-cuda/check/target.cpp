#include "check/target.h"

#include <cuda_runtime.h>

#include "device/error.h"

#if defined(LOCRET_EMULATED)
#include "emulation/device-memory.h"
#include "emulation/fault-report.h"
#include "emulation/grid.h"
#endif

namespace locret::check {

std::string describeTarget() {
  int devices = 0;
  checkCuda(cudaGetDeviceCount(&devices), "Looking for a CUDA device");
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

void prepareTarget([[maybe_unused]] const std::string& threadOrder) {
#if defined(LOCRET_EMULATED)
  using emulation::ThreadOrder;
  if (threadOrder == "ascending") {
    emulation::setThreadOrder(ThreadOrder::ascending);
  } else if (threadOrder == "descending") {
    emulation::setThreadOrder(ThreadOrder::descending);
  } else {
    expect(threadOrder == "shuffled",
           "The order of threads is \"" + threadOrder + "\"; expected ascending, descending or shuffled.");
    emulation::setThreadOrder(ThreadOrder::shuffled);
  }
  emulation::reportFaults();
  emulation::protectDevice(true);
#endif
}

}  // namespace locret::check
