#include "layers/normalize.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/warp.cuh"

#include <string>

namespace locret {
namespace {

constexpr int mostThreads = 512;
constexpr int mostWarps = mostThreads / lanesPerWarp;
/** Groups of four columns that a thread keeps. */
constexpr int mostFours = widestNormalized / 4 / mostThreads;

/** The sum of `own` over all threads of the block, the same in each. */
__device__ float sumOfBlock(float own, float (&warpSums)[mostWarps]) {
  own = warpSum(own);
  if (laneIndex() == 0) warpSums[warpIndex()] = own;
  __syncthreads();
  float sum = 0.0f;
  for (int other = 0; other < static_cast<int>(blockDim.x) / lanesPerWarp; ++other) sum += warpSums[other];
  return sum;
}

/** One block per token; each thread keeps up to `mostFours` groups of four columns. */
template <class Addition, class Output>
__global__ void __launch_bounds__(mostThreads) normalizeKernel(Normalize normalization) {
  __shared__ float warpSums[mostWarps];
  const int width = normalization.width;
  const int step = 4 * static_cast<int>(blockDim.x);
  const std::size_t first = static_cast<std::size_t>(blockIdx.x) * width + 4 * threadIdx.x;
  const int columns = width - 4 * static_cast<int>(threadIdx.x);

  float kept[mostFours][4];
  float squares = 0.0f;
#pragma unroll
  for (int i = 0; i < mostFours; ++i) {
    if (i * step >= columns) break;
    float* hidden = normalization.hidden + first + i * step;
    loadFloats(hidden, kept[i]);
    if (normalization.addition != nullptr) {
      float added[4];
      loadFloats(static_cast<const Addition*>(normalization.addition) + first + i * step, added);
#pragma unroll
      for (int j = 0; j < 4; ++j) kept[i][j] += added[j];
      storeFloats(hidden, kept[i]);
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) squares += kept[i][j] * kept[i][j];
  }
  if (normalization.output == nullptr) return;

  const float mean = sumOfBlock(squares, warpSums) / static_cast<float>(width);
  const float scale = 1.0f / sqrtf(mean + normalization.epsilon);
#pragma unroll
  for (int i = 0; i < mostFours; ++i) {
    if (i * step >= columns) break;
    float weights[4];
    loadFloats(normalization.weight + (width - columns) + i * step, weights);
#pragma unroll
    for (int j = 0; j < 4; ++j) kept[i][j] *= scale * weights[j];
    storeFloats(static_cast<Output*>(normalization.output) + first + i * step, kept[i]);
  }
}

}  // namespace

void normalize(const Normalize& normalization, cudaStream_t stream) {
  const int width = normalization.width;
  expect(normalization.tokens >= 1 && width >= 4 && width <= widestNormalized && width % 4 == 0,
         "Cannot normalize " + std::to_string(normalization.tokens) + " tokens of width " + std::to_string(width) +
             "; expected at least one token and a width that is a multiple of 4 up to " +
             std::to_string(widestNormalized) + ".");
  // Whole warps, so that every lane takes part in the sums; few of them, so that several tokens share a multiprocessor
  // and one block's loads hide the other's sum.
  constexpr int usualFours = 4;
  const int warps = static_cast<int>(blocksFor(width / 4, lanesPerWarp * usualFours));
  const auto threads = static_cast<unsigned>(min(warps, mostWarps) * lanesPerWarp);
  const auto tokens = static_cast<unsigned>(normalization.tokens);
  withFloatType(normalization.additionFormat, "What is added", [&]<class Addition>(std::type_identity<Addition>) {
    withFloatType(normalization.outputFormat, "What is normalized", [&]<class Output>(std::type_identity<Output>) {
      launch(normalizeKernel<Addition, Output>, tokens, threads, 0, stream, normalization);
    });
  });
}

}  // namespace locret
