#include "layers/gate.h"

#include "device/activation.cuh"
#include "device/error.h"
#include "device/launch.cuh"

#include <string>

namespace locret {
namespace {

constexpr int threads = 256;

/** Each thread takes four columns of a token: grid `[columns / 4 / threads, tokens]`, tokens beyond the grid in turn. */
template <typename Number>
__global__ void __launch_bounds__(threads) gateKernel(Gate gating) {
  using Four = FourNumbers<Number>;
  const int fours = gating.feedForward / 4;
  const int four = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (four >= fours) return;
  for (int token = static_cast<int>(blockIdx.y); token < gating.tokens; token += static_cast<int>(gridDim.y)) {
    const Four* input = static_cast<const Four*>(gating.input) + static_cast<std::size_t>(token) * 2 * fours;
    const Four gates = input[four];
    const Four ups = input[fours + four];
    Four products;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float x = static_cast<float>(gates.at[i]);
      products.at[i] = static_cast<Number>(x / (1.0f + expf(-x)) * static_cast<float>(ups.at[i]));
    }
    static_cast<Four*>(gating.output)[static_cast<std::size_t>(token) * fours + four] = products;
  }
}

}  // namespace

void gate(const Gate& gating, cudaStream_t stream) {
  expect(gating.tokens >= 1 && gating.feedForward >= 4 && gating.feedForward % 4 == 0,
         "Cannot gate " + std::to_string(gating.tokens) + " tokens of " + std::to_string(gating.feedForward) +
             " columns; expected at least one token and a multiple of 4 columns.");
  const auto blocks = static_cast<unsigned>((gating.feedForward / 4 + threads - 1) / threads);
  const auto rows = static_cast<unsigned>(min(gating.tokens, 65535));
  withActivation(gating.format, [&](auto number) {
    launch(gateKernel<decltype(number)>, dim3(blocks, rows), dim3(threads), 0, stream, gating);
  });
}

}  // namespace locret
