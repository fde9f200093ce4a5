#pragma once

#include <string>
#include <vector>

#include <cstddef>

namespace locret {

struct DeviceFacts {
  std::string name;
  int computeMajor;
  int computeMinor;
  int multiprocessors;
  /** Whether this library has code for it. */
  bool supported;
  std::size_t totalBytes;
  /** Once the driver's own share is taken. */
  std::size_t freeBytes;
};

struct DriverFacts {
  /** 1000 · major + 10 · minor; 0 without a driver. */
  int driverVersion;
  int runtimeVersion;
  /** Why no device can be used; empty otherwise. */
  std::string problem;
};

struct DeviceList {
  DriverFacts driver;
  std::vector<DeviceFacts> devices;
};

/** The devices of this machine; that there are none, or no driver, is a fact and no error. */
DeviceList listDevices();

/**
 * Held by each engine: the end of the last one frees what products keep for all of them. The driver's own share of
 * device memory stays until the process ends, unless devices were only listed.
 */
class DeviceUse {
 public:
  DeviceUse();
  ~DeviceUse();
  DeviceUse(const DeviceUse&) = delete;
  DeviceUse& operator=(const DeviceUse&) = delete;
};

}  // namespace locret
