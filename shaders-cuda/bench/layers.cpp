// What stands between the products of a layer, in the shape of Llama-3.1-8B.

#include <cstdint>
#include <string>

#include "bench/bench.h"
#include "device/device-memory.h"
#include "device/error.h"
#include "layers/choose-highest.h"
#include "layers/gate.h"
#include "layers/normalize.h"

namespace locret::bench {
namespace {

constexpr int hidden = 4'096;
constexpr int feedForward = 14'336;
constexpr int vocabulary = 128'256;
constexpr int mostTokens = 3'072;
constexpr int tokenCounts[] = {1, 1'024, 3'072};

/** A buffer of numbers that are finite in every format. */
DeviceBuffer filled(std::size_t bytes, const std::string& purpose) {
  DeviceBuffer buffer(bytes, purpose);
  checkCuda(cudaMemset(buffer.data(), 0x3c, bytes), "Filling a buffer to measure with");
  return buffer;
}

const Registration normalization{"layers/normalize", [](Bench& bench) {
  const DeviceBuffer stream32 = filled(std::size_t{mostTokens} * hidden * 4, "residual stream");
  const DeviceBuffer addition = filled(std::size_t{mostTokens} * hidden * 2, "addition");
  const DeviceBuffer weight = filled(std::size_t{hidden} * 4, "weights of a norm");
  const DeviceBuffer output = filled(std::size_t{mostTokens} * hidden * 2, "normalized stream");
  for (const int tokens : tokenCounts) {
    const Normalize arguments{stream32.as<float>(), addition.data(), NumberFormat::bfloat16, weight.as<float>(), 1e-5f,
                              output.data(),        NumberFormat::bfloat16, tokens, hidden};
    bench.measure(std::to_string(tokens) + " x " + std::to_string(hidden), {.bytes = 12.0 * tokens * hidden},
                  [&](cudaStream_t stream) { normalize(arguments, stream); });
  }
}};

const Registration gating{"layers/gate", [](Bench& bench) {
  const DeviceBuffer input = filled(std::size_t{mostTokens} * 2 * feedForward * 2, "gates and ups");
  const DeviceBuffer output = filled(std::size_t{mostTokens} * feedForward * 2, "gated");
  for (const int tokens : tokenCounts) {
    const Gate arguments{input.data(), NumberFormat::bfloat16, output.data(), tokens, feedForward};
    bench.measure(std::to_string(tokens) + " x " + std::to_string(feedForward), {.bytes = 6.0 * tokens * feedForward},
                  [&](cudaStream_t stream) { gate(arguments, stream); });
  }
}};

const Registration choosing{"layers/chooseHighest", [](Bench& bench) {
  const DeviceBuffer logits = filled(std::size_t{vocabulary} * 4, "logits");
  const DeviceBuffer chosen(sizeof(std::int32_t), "the chosen token");
  const DeviceBuffer scratch(chooseScratchBytes(1), "scratch of the choice");
  const ChooseHighest arguments{logits.as<float>(), 1, vocabulary, chosen.as<std::int32_t>(), scratch.data()};
  bench.measure(std::to_string(vocabulary) + " logits", {.bytes = 4.0 * vocabulary},
                [&](cudaStream_t stream) { chooseHighest(arguments, stream); });
}};

}  // namespace
}  // namespace locret::bench
