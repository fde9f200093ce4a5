#pragma once

#include <cstddef>
#include <string>

namespace locret::emulation {

/**
 * The memory of the emulated device: a range of addresses of its own, so that a host pointer given to a kernel is
 * recognized. Allocations are full of 0xff (NaN) and have guard zones around them; addresses are not used twice.
 */

/** Bytes that can be allocated in total; LOCRET_EMULATED_DEVICE_BYTES sets it before the first use, default 8 GiB. */
std::size_t deviceCapacity();

/** Bytes allocated now. */
std::size_t deviceBytesInUse();

/** Changes the capacity, to see what happens when memory runs out. */
void setDeviceCapacity(std::size_t bytes);

/**
 * Lets one allocation fail, on the device or of page-locked memory: the one behind `before` others. A negative number:
 * none. To see that running out of memory at any place is survived.
 */
void failAllocation(int before);

/** Whether this allocation is the one that is to fail; each is asked for once. */
bool isAllocationToFail();

/** Allocates; null when the capacity is exhausted. */
void* allocateDevice(std::size_t bytes);

/** Frees what allocateDevice gave; false when the pointer is something else. Throws Violation when a guard was hit. */
bool freeDevice(void* pointer);

/** True when `pointer` lies within the device's addresses, allocated or not. */
bool isDeviceAddress(const void* pointer);

/** True when all bytes of the range lie within one allocation. */
bool isAllocated(const void* pointer, std::size_t bytes);

/** Throws Violation when something was written around an allocation. */
void checkGuards(const std::string& after);

/** While one lives, host code may touch device memory; otherwise that ends the program, with `protectDevice(true)`. */
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

/** Whether device memory is inaccessible to host code between launches, as on a device. Costs microseconds each. */
void protectDevice(bool isProtected);

}  // namespace locret::emulation
