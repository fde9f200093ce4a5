#include "layers/gate.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"

#include <string>

namespace locret {
namespace {

constexpr int threads = 256;

/** Each thread takes four columns: grid `[columns / 4 / threads, tokens]`, tokens beyond the grid in turn. */
template <class T>
__global__ void __launch_bounds__(threads) gateKernel(Gate gating) {
  const int width = gating.feedForward;
  const int column = 4 * (static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x));
  if (column >= width) return;
  for (int token = static_cast<int>(blockIdx.y); token < gating.tokens; token += static_cast<int>(gridDim.y)) {
    const T* input = static_cast<const T*>(gating.input) + static_cast<std::size_t>(token) * 2 * width + column;
    float gates[4];
    float products[4];
    loadFloats(input, gates);
    loadFloats(input + width, products);
#pragma unroll
    for (int i = 0; i < 4; ++i) products[i] *= gates[i] / (1.0f + expf(-gates[i]));
    storeFloats(static_cast<T*>(gating.output) + static_cast<std::size_t>(token) * width + column, products);
  }
}

}  // namespace

void gate(const Gate& gating, cudaStream_t stream) {
  expect(gating.tokens >= 1 && gating.feedForward >= 4 && gating.feedForward % 4 == 0,
         "Cannot gate " + std::to_string(gating.tokens) + " tokens of " + std::to_string(gating.feedForward) +
             " columns; expected at least one token and a multiple of 4 columns.");
  const unsigned blocks = blocksFor(gating.feedForward, 4 * threads);
  const auto rows = static_cast<unsigned>(min(gating.tokens, 65535));
  withFloatType(gating.format, "The gated input", [&]<class T>(std::type_identity<T>) {
    launch(gateKernel<T>, dim3(blocks, rows), threads, 0, stream, gating);
  });
}

}  // namespace locret
