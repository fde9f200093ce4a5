#include "test/check/target.h"

#include "device/error.h"

#if defined(LOCRET_EMULATED)
#include "test/emulation/device-memory.h"
#include "test/emulation/fault-report.h"
#include "test/emulation/grid.h"
#endif

namespace locret::check {

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
