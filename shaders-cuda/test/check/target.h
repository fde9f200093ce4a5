#pragma once

#include <string>

namespace locret::check {

/**
 * Prepares the emulation for checks: the order of threads within a block (ascending, descending or shuffled), and host
 * code that touches device memory ends the program. On a device there is nothing to prepare; the order is its own.
 * Throws Error when the order is unknown.
 */
void prepareTarget(const std::string& threadOrder);

}  // namespace locret::check
