// Measures every kernel on the current device.

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include "bench/bench.h"
#include "device/describe-device.h"

namespace {

constexpr const char* usage =
    "bench [--only NAME] [--json FILE]\n"
    "  --only NAME  only benchmarks whose name contains it\n"
    "  --json FILE  writes the figures there too\n";

}  // namespace

int main(int argumentCount, char** arguments) {
  std::string only;
  std::string file;
  for (int index = 1; index < argumentCount; ++index) {
    const std::string argument = arguments[index];
    const bool hasValue = index + 1 < argumentCount;
    if (argument == "--only" && hasValue) {
      only = arguments[++index];
    } else if (argument == "--json" && hasValue) {
      file = arguments[++index];
    } else {
      std::fputs(usage, argument == "--help" ? stdout : stderr);
      return argument == "--help" ? 0 : 2;
    }
  }
  try {
    const std::string device = locret::describeDevice();
    const locret::bench::Peaks peaks = locret::bench::devicePeaks();
    std::printf("%s\nPeaks: %.0f GB/s, %.0f TFLOP/s\n\n", device.c_str(), peaks.bandwidth / 1e9, peaks.flops / 1e12);
    locret::bench::Bench bench(peaks);
    if (!locret::bench::runAll(only, bench)) {
      std::fprintf(stderr, "There is no benchmark whose name contains \"%s\".\n", only.c_str());
      return 2;
    }
    if (!file.empty()) {
      std::ofstream output(file);
      output << locret::bench::toJson(device, peaks, bench.measurements());
      output.close();
      if (!output) {
        std::fprintf(stderr, "%s cannot be written.\n", file.c_str());
        return 1;
      }
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
