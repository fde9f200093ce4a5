// The whole engine over its C interface against a decoder in float64: passes with evictions, decode steps, and caches
// whose first pass is short.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "test/check/check.h"
#include "test/check/engine-reference.h"
#include "test/check/engine-under-check.h"

namespace locret::check {
namespace {

std::vector<std::int32_t> indicesOf(const ReferenceDecoder& reference, const DecoderShape& shape) {
  std::vector<std::int32_t> indices;
  for (int layer = 0; layer < shape.layers; ++layer) {
    for (int head = 0; head < shape.kvHeads; ++head) {
      for (const ReferenceUnit& unit : reference.units(layer, head)) indices.push_back(unit.token);
    }
  }
  return indices;
}

/** Reads in chunks with evictions, then goes on token by token. */
void checkReading(Report& report, const std::string& name, const DecoderShape& shape) {
  const DecoderWeights weights = randomWeights(shape);
  const CachePlan plan;
  const EngineUnderCheck engine(shape, weights, configOf(shape, LOCRET_FLOAT32, LOCRET_FLOAT32));
  ReferenceDecoder reference(shape, weights);
  constexpr double bound = 1e-4;
  for (int pass = 0; pass < 4; ++pass) {
    const bool last = pass == 3;
    const std::vector<std::int32_t> tokens = someTokens(last ? 7 : plan.chunk, static_cast<std::uint64_t>(pass) + 1);
    const std::vector<double> expected = reference.pass(tokens);
    const std::string sizes = name + "pass " + std::to_string(pass);
    const int eviction = last ? LOCRET_EVICT_FINAL : LOCRET_EVICT_BETWEEN_CHUNKS;
    report.compare(sizes, engine.pass(tokens, eviction), expected, bound);
    reference.evict(plan.budget, plan.pinned, last ? 0 : plan.stabilizers);
    report.same(sizes + ", kept units", engine.tokenIndices(), indicesOf(reference, shape));
  }
  for (int step = 0; step < 4; ++step) {
    const std::int32_t token = 11 * step;
    report.compare(name + "step " + std::to_string(step), engine.step(token), reference.pass({token}), bound);
  }
}

const Registration reading{"engine/reading", [](Report& report) {
  checkReading(report, "", shapeOf(0));
  checkReading(report, "window 19, ", shapeOf(19));
  checkReading(report, "heads on hidden states, ", shapeOf(0, HeadInput::hidden));
}};

/** Root of the mean squared difference as a share of the reference's own. */
double relativeError(const std::vector<float>& values, const std::vector<double>& expected) {
  double error = 0;
  double squares = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(double{values[i]} - expected[i], 2);
    squares += expected[i] * expected[i];
  }
  return std::sqrt(error / squares);
}

/**
 * A quantized cache is calibrated by its first pass, however little that tells: one token, or the same one several
 * times, whose keys differ by rounding only. What comes afterwards, in passes of odd lengths, must not suffer.
 */
const Registration shortBeginnings{"engine/short-beginnings", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const DecoderWeights weights = randomWeights(shape);
  struct Beginning {
    const char* name;
    std::vector<std::int32_t> tokens;
  };
  const Beginning beginnings[] = {{"one token", {5}},
                                  {"two tokens", {5, 80}},
                                  {"three equal tokens", {5, 5, 5}},
                                  {"seven equal tokens", std::vector<std::int32_t>(7, 41)}};
  struct Format {
    const char* name;
    int number;
    double bound;
  };
  for (const Format& format : {Format{"int8", LOCRET_INT8, 0.02}, Format{"int4", LOCRET_INT4, 0.2}}) {
    for (const Beginning& beginning : beginnings) {
      const EngineUnderCheck engine(shape, weights, configOf(shape, LOCRET_FLOAT32, format.number));
      ReferenceDecoder reference(shape, weights);
      engine.pass(beginning.tokens, LOCRET_EVICT_NONE);
      reference.pass(beginning.tokens);
      double largest = 0;
      for (const int count : {13, 16, 1, 9}) {
        const std::vector<std::int32_t> tokens = someTokens(count, static_cast<std::uint64_t>(count));
        largest = std::max(largest, relativeError(engine.pass(tokens, LOCRET_EVICT_NONE), reference.pass(tokens)));
      }
      report.compare(std::string(format.name) + ", " + beginning.name, {static_cast<float>(largest)}, {0.0},
                     format.bound);
    }
  }
}};

}  // namespace
}  // namespace locret::check
