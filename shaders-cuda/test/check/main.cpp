// Checks every kernel against a reference: on a device, or on the processor by the emulation.

#include <cstdio>
#include <exception>
#include <string>

#include "device/describe-device.h"
#include "test/check/check.h"
#include "test/check/target.h"

namespace {

constexpr const char* usage =
    "check [--only NAME] [--brief] [--order ORDER]\n"
    "  --only NAME    only checks whose name contains it\n"
    "  --brief        a line per check, and the cases that failed\n"
    "  --order ORDER  emulated: ascending, descending or shuffled (the default) threads\n";

}  // namespace

int main(int argumentCount, char** arguments) {
  locret::check::Options options;
  std::string order = "shuffled";
  for (int index = 1; index < argumentCount; ++index) {
    const std::string argument = arguments[index];
    const bool hasValue = index + 1 < argumentCount;
    if (argument == "--only" && hasValue) {
      options.only = arguments[++index];
    } else if (argument == "--order" && hasValue) {
      order = arguments[++index];
    } else if (argument == "--brief") {
      options.brief = true;
    } else {
      std::fputs(usage, argument == "--help" ? stdout : stderr);
      return argument == "--help" ? 0 : 2;
    }
  }
  try {
    std::printf("%s\n\n", locret::describeDevice().c_str());
    locret::check::prepareTarget(order);
    return locret::check::runAll(options) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
