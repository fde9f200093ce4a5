#include "test/emulation/fault-report.h"

#include <csignal>
#include <cstdio>
#include <string>

#include <unistd.h>

#include "test/emulation/block.h"
#include "test/emulation/device-memory.h"

namespace locret::emulation {

namespace {

// The program is at its end: what a handler must not do while a program goes on, such as allocating, may be done here.
[[maybe_unused]] void report(int, siginfo_t* info, void*) {
  std::signal(SIGSEGV, SIG_DFL);
  std::signal(SIGBUS, SIG_DFL);
  const void* address = info->si_addr;
  const bool onDevice = isDeviceAddress(address);
  std::fflush(stdout);
  std::string message = "Host code touched memory that is not there.";
  if (onDevice) message = "Host code touched device memory.";
  if (currentThread != nullptr) message = "A kernel touched memory that is not there: " + describeThread();
  char detail[96];
  std::snprintf(detail, sizeof detail, " Address %p%s.\n", address, onDevice ? ", an address of the device" : "");
  message += detail;
  [[maybe_unused]] const auto written = write(STDERR_FILENO, message.data(), message.size());
  _exit(3);
}

}  // namespace

void reportFaults() {
#if !defined(__SANITIZE_ADDRESS__)
  struct sigaction action {};
  action.sa_sigaction = report;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
#endif
}

}  // namespace locret::emulation
