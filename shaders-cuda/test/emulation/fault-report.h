#pragma once

namespace locret::emulation {

/**
 * From now on, an access to memory that is not there ends the program with a message that names the kernel, block and
 * thread, or says that host code touched device memory. A sanitizer's own report is left alone.
 */
void reportFaults();

}  // namespace locret::emulation
