// Which devices there are, and which of them is used.

#include <array>
#include <string>
#include <vector>

#include "engine/device-code.h"
#include "test/check/check.h"
#include "test/check/engine-under-check.h"

#if defined(LOCRET_EMULATED)
#include "test/emulation/machine.h"
#endif

namespace locret::check {
namespace {

struct Listed {
  std::array<LocretDevice, 4> devices{};
  std::int32_t count = 0;
  LocretDriver driver{};
};

Listed list() {
  Listed listed;
  expectOk(locretDevices(listed.devices.data(), static_cast<std::int32_t>(listed.devices.size()), &listed.count,
                         &listed.driver));
  return listed;
}

const Registration code{"engine/device-code", [](Report& report) {
  constexpr int all[] = {800, 860, 890, 900, 1'000, 1'200};
  const auto runs = [&](int major, int minor, bool expected) {
    report.expect(std::to_string(major) + "." + std::to_string(minor) + (expected ? " has code" : " has none"),
                  hasCodeFor(all, major, minor) == expected);
  };
  runs(7, 5, false);
  runs(8, 0, true);
  runs(8, 7, true);
  runs(9, 0, true);
  runs(10, 3, true);
  runs(11, 0, false);
  runs(12, 0, true);
  runs(12, 1, true);
  runs(13, 0, true);
  constexpr int one[] = {900};
  report.expect("built for 9.0 alone, 8.9 has none", !hasCodeFor(one, 8, 9));
  report.expect("built for 9.0 alone, 10.0 compiles it", hasCodeFor(one, 10, 0));
}};

const Registration present{"engine/devices", [](Report& report) {
  const Listed found = list();
  report.expect("there is a device", found.count >= 1 && found.driver.problem[0] == '\0');
  const LocretDevice& device = found.devices[0];
  report.expect("it is described", device.name[0] != '\0' && device.computeMajor >= 8 && device.multiprocessors > 0);
  report.expect("it has memory", device.freeBytes > 0 && device.freeBytes <= device.totalBytes);
  report.expect("there is code for it", device.supported == 1);
}};

#if defined(LOCRET_EMULATED)
const Registration machines{"engine/machines", [](Report& report) {
  const emulation::Machine usual = emulation::machine();
  const auto withoutDevice = [&](const std::string& what, const emulation::Machine& machine, const std::string& part) {
    emulation::machine() = machine;
    const Listed found = list();
    report.expect(what + ": no device", found.count == 0);
    report.expect(what + ": says so", std::string(found.driver.problem).find(part) != std::string::npos);
    report.expect(what + ": the driver's version", found.driver.driverVersion == machine.driverVersion);
  };
  withoutDevice("no driver", {.driverVersion = 0, .devices = 0}, "no NVIDIA driver is installed");
  withoutDevice("a driver for CUDA 12.4", {.driverVersion = 12'040, .devices = 1}, "too old for CUDA 13: install");
  withoutDevice("a driver without a GPU", {.driverVersion = 13'000, .devices = 0}, "no NVIDIA GPU");

  emulation::machine() = {.driverVersion = 13'010, .devices = 2};
  report.expect("two GPUs are listed", list().count == 2);
  const DecoderShape shape = shapeOf(0);
  const DecoderWeights weights = randomWeights(shape);
  const LocretConfig config = configOf(shape, LOCRET_FLOAT32, LOCRET_FLOAT32);
  const std::vector<std::int32_t> tokens = someTokens(16, 1);
  const EngineUnderCheck first(shape, weights, config, 0);
  const EngineUnderCheck second(shape, weights, config, 1);
  report.same("both give the same", second.pass(tokens, LOCRET_EVICT_NONE), first.pass(tokens, LOCRET_EVICT_NONE));
  int current = -1;
  const auto deviceAfter = [&](const EngineUnderCheck& engine) {
    static_cast<void>(engine.state());
    checkCuda(cudaGetDevice(&current), "Asking which device is current");
    return current;
  };
  report.expect("each works on its own", deviceAfter(second) == 1 && deviceAfter(first) == 0);
  report.expectError("a third is not there", "engine-failed",
                     [&] { const EngineUnderCheck third(shape, weights, config, 2); });
  emulation::machine() = usual;
  static_cast<void>(deviceAfter(first));
}};
#endif

}  // namespace
}  // namespace locret::check
