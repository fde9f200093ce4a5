// Checks every kernel against a reference: on a device, or on the processor by the emulation.

#include <cstdio>
#include <cstring>

#include "check/check.h"

int main(int argumentCount, char** arguments) {
  locret::check::Options options;
  for (int index = 1; index < argumentCount; ++index) {
    if (std::strcmp(arguments[index], "--only") == 0 && index + 1 < argumentCount) {
      options.only = arguments[++index];
    } else {
      std::fprintf(stderr, "Unknown argument %s. Expected: --only NAME\n", arguments[index]);
      return 2;
    }
  }
  const int failed = locret::check::runAll(options);
  if (failed > 0) std::printf("%d checks failed.\n", failed);
  return failed == 0 ? 0 : 1;
}
