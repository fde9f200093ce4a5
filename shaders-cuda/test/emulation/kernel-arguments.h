#pragma once

#include <cstddef>
#include <source_location>

namespace locret::emulation {

/**
 * Throws Violation when argument `number` of the launch at `where`, of `bytes` bytes, holds a pointer to host memory,
 * or to device memory that is not allocated. Looks at every aligned word, except those that may be a count before padding.
 */
void checkArgument(const void* argument, std::size_t bytes, int number, std::source_location where);

}  // namespace locret::emulation
