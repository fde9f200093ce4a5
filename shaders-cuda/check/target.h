#pragma once

#include <string>

namespace locret::check {

/** What the kernels run on: the device with its driver, or the processor. Throws Error when there is no device. */
std::string describeTarget();

/**
 * Prepares the emulation for checks: the order of threads within a block (ascending, descending or shuffled), and host
 * code that touches device memory ends the program. On a device there is nothing to prepare; the order is its own.
 * Throws Error when the order is unknown.
 */
void prepareTarget(const std::string& threadOrder);

}  // namespace locret::check
