#include "layers/normalize.h"

#include "device/activation.cuh"
#include "device/error.h"
#include "device/launch.cuh"

#include <string>

namespace locret {
namespace {

constexpr int warpWidth = 32;
constexpr int mostThreads = 1024;
constexpr int mostWarps = mostThreads / warpWidth;
constexpr int mostFours = widestNormalized / 4 / mostThreads;
constexpr unsigned everyLane = 0xffffffffu;

/** The sum of `own` over all threads of the block, the same in each. */
__device__ float sumOfBlock(float own, float (&warpSums)[mostWarps]) {
  for (int distance = warpWidth / 2; distance > 0; distance /= 2) own += __shfl_xor_sync(everyLane, own, distance);
  const int warp = static_cast<int>(threadIdx.x) / warpWidth;
  if (threadIdx.x % warpWidth == 0) warpSums[warp] = own;
  __syncthreads();
  float sum = 0.0f;
  for (int other = 0; other < static_cast<int>(blockDim.x) / warpWidth; ++other) sum += warpSums[other];
  return sum;
}

/** One block per token; each thread keeps up to `mostFours` groups of four columns. */
template <typename Addition, typename Output>
__global__ void __launch_bounds__(mostThreads) normalizeKernel(Normalize normalization) {
  __shared__ float warpSums[mostWarps];
  const int fours = normalization.width / 4;
  const std::size_t first = static_cast<std::size_t>(blockIdx.x) * fours;
  auto* hidden = reinterpret_cast<FourNumbers<float>*>(normalization.hidden) + first;
  const auto* weight = reinterpret_cast<const FourNumbers<float>*>(normalization.weight);

  FourNumbers<float> kept[mostFours];
  float squares = 0.0f;
#pragma unroll
  for (int i = 0; i < mostFours; ++i) {
    const int four = i * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
    if (four >= fours) break;
    kept[i] = hidden[four];
    if (normalization.addition != nullptr) {
      const auto added = static_cast<const FourNumbers<Addition>*>(normalization.addition)[first + four];
#pragma unroll
      for (int j = 0; j < 4; ++j) kept[i].at[j] += static_cast<float>(added.at[j]);
      hidden[four] = kept[i];
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) squares += kept[i].at[j] * kept[i].at[j];
  }
  if (normalization.output == nullptr) return;

  const float mean = sumOfBlock(squares, warpSums) / static_cast<float>(normalization.width);
  const float scale = 1.0f / sqrtf(mean + normalization.epsilon);
#pragma unroll
  for (int i = 0; i < mostFours; ++i) {
    const int four = i * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
    if (four >= fours) break;
    const FourNumbers<float> weights = weight[four];
    FourNumbers<Output> normalized;
#pragma unroll
    for (int j = 0; j < 4; ++j) normalized.at[j] = static_cast<Output>(kept[i].at[j] * scale * weights.at[j]);
    static_cast<FourNumbers<Output>*>(normalization.output)[first + four] = normalized;
  }
}

}  // namespace

void normalize(const Normalize& normalization, cudaStream_t stream) {
  const int width = normalization.width;
  expect(normalization.tokens >= 1 && width >= 4 && width <= widestNormalized && width % 4 == 0,
         "Cannot normalize " + std::to_string(normalization.tokens) + " tokens of width " + std::to_string(width) +
             "; expected at least one token and a width that is a multiple of 4 up to " +
             std::to_string(widestNormalized) + ".");
  // A whole number of warps, so that every lane takes part in the sums.
  const int warps = (width / 4 + warpWidth - 1) / warpWidth;
  const auto threads = static_cast<unsigned>(min(warps, mostWarps) * warpWidth);
  const auto tokens = static_cast<unsigned>(normalization.tokens);
  withActivation(normalization.additionFormat, [&](auto addition) {
    withActivation(normalization.outputFormat, [&](auto output) {
      launch(normalizeKernel<decltype(addition), decltype(output)>, dim3(tokens), dim3(threads), 0, stream,
             normalization);
    });
  });
}

}  // namespace locret
