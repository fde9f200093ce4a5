// The device memory of an engine: what was planned is what is taken, and running out of it anywhere is survived.

#include <cstddef>
#include <string>
#include <vector>

#include "device/device-memory.h"
#include "test/check/check.h"
#include "test/check/engine-under-check.h"

#if defined(LOCRET_EMULATED)
#include "test/emulation/device-memory.h"
#include "test/emulation/machine.h"
#endif

namespace locret::check {
namespace {

const Registration planned{"engine/planned-memory", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const DecoderWeights weights = randomWeights(shape);
  for (const int weightFormat : {LOCRET_FLOAT32, LOCRET_BFLOAT16, LOCRET_FLOAT16, LOCRET_INT8, LOCRET_INT4}) {
    const int activation = weightFormat == LOCRET_INT8 || weightFormat == LOCRET_INT4 ? LOCRET_BFLOAT16 : weightFormat;
    for (const int cacheFormat : {activation, int{LOCRET_INT8}, int{LOCRET_INT4}}) {
      const std::string name = "weights " + std::to_string(weightFormat) + ", cache " + std::to_string(cacheFormat);
      resetAllocationPeak();
      const AllocationCounters before = allocationCounters();
      {
        const EngineUnderCheck engine(shape, weights, configOf(shape, weightFormat, cacheFormat));
        engine.pass(someTokens(16, 1), LOCRET_EVICT_BETWEEN_CHUNKS);
        engine.pass(someTokens(16, 2), LOCRET_EVICT_FINAL);
        engine.step(3);
        const LocretPlan& plan = engine.plan();
        const AllocationCounters now = allocationCounters();
        // Each of seven allocations is counted in units of 512 bytes.
        constexpr std::size_t rounding = 7 * 512;
        const std::size_t peak = now.peakBytes - before.bytes;
        const std::size_t held = now.bytes - before.bytes;
        const auto isPlanned = [&](std::size_t bytes) {
          return bytes >= plan.totalBytes && bytes <= plan.totalBytes + rounding;
        };
        report.expect(name + ": the peak", isPlanned(peak));
        report.expect(name + ": without what loading takes", isPlanned(held + plan.loadingBytes));
      }
      report.expect(name + ": all is given back", allocationCounters().bytes == before.bytes &&
                                                      allocationCounters().buffers == before.buffers);
    }
  }
}};

const Registration refusal{"engine/does-not-fit", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  CachePlan huge;
  huge.capacity = 1 << 29;
  const LocretConfig config = configOf(shape, LOCRET_BFLOAT16, LOCRET_BFLOAT16, huge);
  LocretPlan plan{};
  expectOk(locretPlan(&config, &plan));
  std::size_t free = 0;
  std::size_t total = 0;
  checkCuda(cudaMemGetInfo(&free, &total), "Asking for free memory");
  if (plan.totalBytes <= total) return;
  // Refused before the tables of rotations are looked at.
  const float table = 0;
  LocretEngine* engine = nullptr;
  const AllocationCounters before = allocationCounters();
  const LocretStatus status = locretOpen(&config, &table, &table, 0, &engine);
  report.expect("more than the device has is refused", status == LOCRET_FAILED);
  report.expect("as out of memory", std::string(locretErrorCode()) == "out-of-memory");
  const std::string text = locretErrorText();
  for (const char* part : {"weights ", " + retaining heads ", " + cache ", " + rotated keys ",
                           " + intermediate values ", " + logits ", " + loading ", " = ", " are free"}) {
    report.expect("the arithmetic has \"" + std::string(part) + "\"", text.find(part) != std::string::npos);
  }
  report.expect("nothing was allocated", allocationCounters().bytes == before.bytes);
}};

#if defined(LOCRET_EMULATED)
/** Every allocation fails once: opening and loading end with an error, leave nothing behind, and succeed afterwards. */
const Registration everywhere{"engine/out-of-memory", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const DecoderWeights weights = randomWeights(shape);
  const LocretConfig config = configOf(shape, LOCRET_INT4, LOCRET_INT8);
  const AllocationCounters before = allocationCounters();
  int failures = 0;
  for (bool fits = false; !fits; ++failures) {
    emulation::failAllocation(failures);
    try {
      const EngineUnderCheck engine(shape, weights, config);
      engine.pass(someTokens(16, 1), LOCRET_EVICT_BETWEEN_CHUNKS);
      engine.step(3);
      // None was left to fail.
      fits = true;
    } catch (const Error& error) {
      const std::string which = "allocation " + std::to_string(failures);
      const std::string text = error.what();
      report.expect(which + " fails as out of memory", error.code() == "out-of-memory");
      report.expect(which + " is named with its bytes", text.find("bytes") != std::string::npos ||
                                                            text.find(" MB (") != std::string::npos);
      report.expect(which + " leaves nothing behind", allocationCounters().bytes == before.bytes &&
                                                          allocationCounters().buffers == before.buffers);
    }
    emulation::failAllocation(-1);
  }
  // Weights, retaining heads, cache, staging, workspace, logits, loading, and the page-locked state.
  report.expect("there are eight allocations", failures - 1 == 8);
}};

/** An engine finds cublasLt by itself, lets it do the products of whole chunks where it is faster, and frees its room. */
const Registration library{"engine/with-cublaslt", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const DecoderWeights weights = randomWeights(shape);
  const LocretConfig config = configOf(shape, LOCRET_BFLOAT16, LOCRET_BFLOAT16);
  const AllocationCounters before = allocationCounters();
  const std::vector<std::int32_t> tokens = someTokens(16, 1);
  std::vector<float> own;
  {
    const EngineUnderCheck engine(shape, weights, config);
    own = engine.pass(tokens, LOCRET_EVICT_NONE);
  }
  emulation::machine().cublasLt = emulation::CublasLtKind::right;
  {
    const EngineUnderCheck engine(shape, weights, config);
    report.expect("its workspace is held", allocationCounters().bytes > before.bytes + engine.plan().totalBytes);
    report.compare("the same logits", engine.pass(tokens, LOCRET_EVICT_NONE), {own.begin(), own.end()}, 0.05);
  }
  emulation::machine().cublasLt = emulation::CublasLtKind::none;
  report.expect("all is given back with the last engine", allocationCounters().bytes == before.bytes);
}};
#endif

}  // namespace
}  // namespace locret::check
