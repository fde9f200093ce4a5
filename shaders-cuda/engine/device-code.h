#pragma once

#include <span>

namespace locret {

/** The architectures that this library was compiled for, ascending, as `__CUDA_ARCH_LIST__` counts: 860 is 8.6. */
std::span<const int> compiledArchitectures();

/**
 * Whether code of these architectures runs on a device of this compute capability: compiled code runs on its own
 * generation from its own minor version on, and that of the newest architecture is there as PTX, too, which the driver
 * compiles for every later one (CUDA C++ Programming Guide, "Application Compatibility").
 * @param architectures ascending, not empty
 */
constexpr bool hasCodeFor(std::span<const int> architectures, int major, int minor) {
  const int device = 100 * major + 10 * minor;
  for (const int architecture : architectures) {
    if (architecture / 100 == major && architecture <= device) return true;
  }
  return device >= architectures.back();
}

}  // namespace locret
