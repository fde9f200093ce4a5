#pragma once

#include <string>

namespace locret {

/**
 * The current device in one line: name, compute capability, multiprocessors, memory, and the newest CUDA its driver
 * knows. Throws Error when there is no device.
 */
std::string describeDevice();

}  // namespace locret
