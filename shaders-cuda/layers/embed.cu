#include "layers/embed.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "products/weight-elements.cuh"

#include <string>

namespace locret {
namespace {

constexpr int threads = 128;
constexpr int columnsPerThread = 8;

/** One block per token; each thread takes eight columns at a time. */
__global__ void __launch_bounds__(threads) embedKernel(Embed embedding) {
  const int width = embedding.table.columns;
  const int row = embedding.tokenIds[blockIdx.x];
  float* hidden = embedding.hidden + static_cast<std::size_t>(blockIdx.x) * width;
  for (int column = static_cast<int>(threadIdx.x) * columnsPerThread; column < width;
       column += threads * columnsPerThread) {
    float weights[columnsPerThread];
    loadEightWeights(embedding.table, row, column, weights);
#pragma unroll
    for (int begin = 0; begin < columnsPerThread; begin += 4) {
      if (column + begin >= width) break;
      const float four[4] = {weights[begin], weights[begin + 1], weights[begin + 2], weights[begin + 3]};
      storeFloats(hidden + column + begin, four);
    }
  }
}

}  // namespace

void embed(const Embed& embedding, cudaStream_t stream) {
  expect(embedding.tokens >= 1 && embedding.table.columns >= 4 && embedding.table.columns % 4 == 0,
         "Cannot look up " + std::to_string(embedding.tokens) + " tokens in an embedding of " +
             std::to_string(embedding.table.columns) +
             " columns; expected at least one token and a multiple of 4 columns.");
  launch(embedKernel, static_cast<unsigned>(embedding.tokens), threads, 0, stream, embedding);
}

}  // namespace locret
