// What a memory does with the cache of an engine: marks, rewinds, copies, forgetting, observed attention.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "device/device-memory.h"
#include "test/check/check.h"
#include "test/check/engine-under-check.h"

namespace locret::check {
namespace {

constexpr int formats[] = {LOCRET_BFLOAT16, LOCRET_INT8, LOCRET_INT4};

std::string nameOf(int format) { return "format " + std::to_string(format); }

const Registration cache{"engine/cache", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const DecoderWeights weights = randomWeights(shape);
  for (const int format : formats) {
    const std::string name = nameOf(format);
    const EngineUnderCheck engine(shape, weights, configOf(shape, LOCRET_BFLOAT16, format));
    engine.pass(someTokens(16, 1), LOCRET_EVICT_BETWEEN_CHUNKS);
    engine.pass(someTokens(16, 2), LOCRET_EVICT_FINAL);
    const LocretState mark = engine.state();
    const std::vector<unsigned char> before = engine.exportAll();
    const std::vector<float> answer = engine.pass(someTokens(9, 3), LOCRET_EVICT_NONE);
    engine.rewind(mark);
    report.same(name + ", rewound", engine.exportAll(), before);
    engine.importAll(before, mark);
    report.same(name + ", restored", engine.exportAll(), before);
    report.same(name + ", the same answer", engine.pass(someTokens(9, 3), LOCRET_EVICT_NONE), answer);
    const std::int32_t ranges[] = {3, 9, 20, 25};
    std::int32_t dropped = 0;
    expectOk(locretForget(engine.get(), ranges, 2, &dropped));
    const std::vector<std::int32_t> left = engine.tokenIndices();
    report.expect(name + ", forgotten", dropped > 0 && std::none_of(left.begin(), left.end(), [](std::int32_t token) {
                                          return (token >= 3 && token < 9) || (token >= 20 && token < 25);
                                        }));
  }
}};

#if defined(__SANITIZE_ADDRESS__)
// Each takes ten times as long.
constexpr int cycleCount = 100;
#else
constexpr int cycleCount = 1'000;
#endif

/** Days in an editor: questions are asked of a memory, taken back, and the memory comes back from its snapshot. */
const Registration cycles{"engine/cycles", [](Report& report) {
  DecoderShape shape = shapeOf(0);
  shape.layers = 1;
  const DecoderWeights weights = randomWeights(shape);
  const EngineUnderCheck engine(shape, weights, configOf(shape, LOCRET_BFLOAT16, LOCRET_INT8));
  engine.pass(someTokens(16, 1), LOCRET_EVICT_BETWEEN_CHUNKS);
  engine.pass(someTokens(16, 2), LOCRET_EVICT_FINAL);
  const std::vector<unsigned char> memory = engine.exportAll();
  LocretState mark = engine.state();
  std::vector<float> answer;
  std::size_t freeBefore = 0;
  std::size_t freeAfter = 0;
  std::size_t total = 0;
  AllocationCounters held{};
  int differing = 0;
  for (int cycle = 0; cycle <= cycleCount; ++cycle) {
    const std::vector<float> again = engine.pass({1, 2, 3}, LOCRET_EVICT_NONE);
    engine.step(4);
    engine.rewind(mark);
    engine.importAll(memory, mark);
    mark = engine.state();
    if (cycle > 0) {
      differing += again == answer ? 0 : 1;
      continue;
    }
    // What is loaded and recorded at the first use stays.
    answer = again;
    held = allocationCounters();
    checkCuda(cudaMemGetInfo(&freeBefore, &total), "Asking for free memory");
  }
  checkCuda(cudaMemGetInfo(&freeAfter, &total), "Asking for free memory");
  const AllocationCounters after = allocationCounters();
  report.expect("every answer is the same", differing == 0);
  report.same("the memory is the same", engine.exportAll(), memory);
  report.expect("nothing more is allocated", after.bytes == held.bytes && after.buffers == held.buffers);
  report.expect("no peak above it", after.peakBytes == held.peakBytes);
  report.expect("as much is free on the device", freeAfter == freeBefore);
}};

const Registration marks{"engine/marks", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const EngineUnderCheck engine(shape, randomWeights(shape), configOf(shape, LOCRET_BFLOAT16, LOCRET_INT4));
  const auto refused = [&](const std::string& what, const LocretState& mark) {
    report.expectError(what, "invalid-argument", [&] { engine.rewind(mark); });
  };
  report.expectError("a step on an empty cache", "invalid-argument", [&] { engine.step(1); });
  engine.pass(someTokens(16, 1), LOCRET_EVICT_NONE);
  const LocretState outer = engine.state();
  const std::vector<unsigned char> atOuter = engine.exportAll();
  engine.pass(someTokens(5, 2), LOCRET_EVICT_NONE);
  const LocretState inner = engine.state();
  const std::vector<unsigned char> atInner = engine.exportAll();
  engine.pass(someTokens(3, 3), LOCRET_EVICT_NONE);
  engine.rewind(inner);
  report.same("back to the inner mark", engine.exportAll(), atInner);
  report.expect("with its token index", engine.state().nextTokenIndex == 21 && engine.state().hasLogits == 0);
  engine.rewind(outer);
  report.same("back to the outer mark", engine.exportAll(), atOuter);
  refused("an inner mark, once its units are gone", inner);
  engine.pass(someTokens(5, 2), LOCRET_EVICT_NONE);
  report.same("the same tokens again", engine.exportAll(), atInner);
  engine.pass(someTokens(16, 4), LOCRET_EVICT_BETWEEN_CHUNKS);
  refused("a mark from before an eviction", outer);
  const LocretState evicted = engine.state();
  engine.importAll(engine.exportAll(), evicted);
  refused("a mark from before a restored cache", evicted);
  expectOk(locretClear(engine.get()));
  const LocretState empty = engine.state();
  engine.importAll(engine.exportAll(), empty);
  report.expect("a restored empty cache is empty", engine.state().length == 0);
  const LocretState beginning = engine.state();
  engine.pass(someTokens(16, 6), LOCRET_EVICT_NONE);
  const LocretState taken = engine.state();
  const std::vector<unsigned char> units = engine.exportAll();
  engine.rewind(beginning);
  engine.importAll(units, taken);
  refused("a mark from before other units were restored into an empty cache", taken);
  engine.pass(someTokens(7, 5), LOCRET_EVICT_NONE);
}};

const Registration observation{"engine/observed-attention", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const EngineUnderCheck engine(shape, randomWeights(shape), configOf(shape, LOCRET_FLOAT32, LOCRET_FLOAT32));
  const double perToken = shape.layers * shape.heads;
  const auto sumOf = [](const std::vector<double>& mass) { return std::accumulate(mass.begin(), mass.end(), 0.0); };
  const auto sums = [&](const std::string& what, int tokens) {
    report.compare(what, {static_cast<float>(sumOf(engine.observed()))}, {tokens * perToken}, 1e-3);
  };
  engine.pass(someTokens(16, 1), LOCRET_EVICT_NONE);
  const LocretState mark = engine.state();
  expectOk(locretStartObserving(engine.get(), 0));
  engine.pass(someTokens(6, 2), LOCRET_EVICT_NONE, 2);
  sums("the last four of six tokens", 4);
  expectOk(locretStartObserving(engine.get(), 0));
  engine.pass(someTokens(6, 2), LOCRET_EVICT_NONE, 0);
  engine.rewind(mark);
  engine.pass(someTokens(3, 3), LOCRET_EVICT_NONE, 0);
  const std::vector<double> anew = engine.observed();
  report.compare("after a rewind only what came behind it", {static_cast<float>(sumOf(anew))}, {3 * perToken}, 1e-3);
  engine.rewind(mark);
  expectOk(locretStartObserving(engine.get(), 0));
  engine.pass(someTokens(3, 3), LOCRET_EVICT_NONE, 0);
  report.expect("and exactly that", engine.observed() == anew);
  expectOk(locretStartObserving(engine.get(), 0));
  engine.pass(someTokens(4, 4), LOCRET_EVICT_NONE, 0);
  const std::int32_t range[] = {2, 6};
  std::int32_t dropped = 0;
  expectOk(locretForget(engine.get(), range, 1, &dropped));
  engine.pass(someTokens(2, 5), LOCRET_EVICT_NONE, 0);
  report.expect("units were forgotten", dropped == 4);
  sums("also across forgetting", 6);
}};

}  // namespace
}  // namespace locret::check
