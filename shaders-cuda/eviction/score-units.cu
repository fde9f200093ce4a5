#include "eviction/score-units.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/warp.cuh"
#include "products/product.h"

#include <algorithm>
#include <string>

namespace locret {
namespace {

constexpr int warps = 4;
constexpr int threads = warps * lanesPerWarp;
/** KV heads that one walk over the activated row serves. */
constexpr int headsPerWalk = 8;

/** What the second step reads and writes. */
struct SecondLayer {
  /** `[tokens, width]`, before the activation. */
  const void* first;
  /** `[kvHeads, width]` */
  const void* weights;
  int width;
  int kvHeads;
  /** float32 `[kvHeads, capacity]` */
  float* scores;
  int capacity;
  const std::int32_t* length;
  /** float32 `[tokens]`; null: nothing is added. */
  const float* bonuses;
};

/** One block per token. */
template <class T, class Weight>
__global__ void __launch_bounds__(threads) secondLayerKernel(SecondLayer layer) {
  __shared__ float warpSums[warps][headsPerWalk];
  const int thread = static_cast<int>(threadIdx.x);
  const int token = static_cast<int>(blockIdx.x);
  const T* row = static_cast<const T*>(layer.first) + static_cast<std::size_t>(token) * layer.width;
  for (int firstHead = 0; firstHead < layer.kvHeads; firstHead += headsPerWalk) {
    const int heads = min(headsPerWalk, layer.kvHeads - firstHead);
    const Weight* weights =
        static_cast<const Weight*>(layer.weights) + static_cast<std::size_t>(firstHead) * layer.width;
    float sums[headsPerWalk] = {};
#pragma unroll 4
    for (int column = thread; column < layer.width; column += threads) {
      const float x = toFloat(row[column]);
      const float activated = x / (1.0f + expf(-x));
#pragma unroll
      for (int head = 0; head < headsPerWalk; ++head) {
        if (head < heads) {
          sums[head] += activated * toFloat(weights[static_cast<std::size_t>(head) * layer.width + column]);
        }
      }
    }
#pragma unroll
    for (int head = 0; head < headsPerWalk; ++head) {
      sums[head] = warpSum(sums[head]);
      if (laneIndex() == 0) warpSums[warpIndex()][head] = sums[head];
    }
    __syncthreads();
    if (thread < heads) {
      float score = 0.0f;
      for (int warp = 0; warp < warps; ++warp) score += warpSums[warp][thread];
      if (layer.bonuses != nullptr) score += layer.bonuses[token];
      layer.scores[static_cast<std::size_t>(firstHead + thread) * layer.capacity + *layer.length + token] = score;
    }
    __syncthreads();
  }
}

void checkSizes(const ScoreUnits& scoring, int inputs) {
  const WeightMatrix& first = scoring.firstLayer;
  const WeightMatrix& second = scoring.secondLayer;
  expect(scoring.tokens.tokens >= 1 && scoring.tokens.tokens <= scoring.cache.capacity,
         "Cannot score " + std::to_string(scoring.tokens.tokens) + " tokens for a cache of " +
             std::to_string(scoring.cache.capacity) + " units; expected 1 to as many.");
  expect(first.columns == inputs, "The first layer of a retaining head reads " + std::to_string(first.columns) +
                                      " numbers per token; the model gives " + std::to_string(inputs) +
                                      ". Use retaining heads that were trained for this model.");
  expect(second.rows == scoring.cache.kvHeads && second.columns == first.rows,
         "The second layer of a retaining head is [" + std::to_string(second.rows) + ", " +
             std::to_string(second.columns) + "]; expected [" + std::to_string(scoring.cache.kvHeads) + ", " +
             std::to_string(first.rows) + "]. Use retaining heads that were trained for this model.");
  expect(bitsOf(second.format) >= 16, std::string("The second layer of a retaining head is ") + nameOf(second.format) +
                                          "; expected float32, bfloat16 or float16.");
}

}  // namespace

std::size_t scoreScratchBytes(int tokens, int headRows, NumberFormat activation) {
  return bytesOf(activation, static_cast<std::size_t>(tokens) * static_cast<std::size_t>(headRows));
}

void scoreUnits(const ScoreUnits& scoring, cudaStream_t stream) {
  const ProjectedTokens& tokens = scoring.tokens;
  const bool readsHidden = scoring.input == HeadInput::hidden;
  checkSizes(scoring, readsHidden ? scoring.hiddenWidth : (tokens.heads + 2 * tokens.kvHeads) * tokens.headDim);
  multiply({.input = readsHidden ? scoring.hidden : tokens.values,
            .activation = tokens.format,
            .weight = scoring.firstLayer,
            .bias = nullptr,
            .output = scoring.scratch,
            .outputFormat = tokens.format,
            .tokens = tokens.tokens},
           stream);
  const SecondLayer layer{scoring.scratch,       scoring.secondLayer.values, scoring.firstLayer.rows,
                          scoring.cache.kvHeads, scoring.cache.scores,       scoring.cache.capacity,
                          scoring.length,        scoring.bonuses};
  const auto blocks = static_cast<unsigned>(tokens.tokens);
  withFloatType(tokens.format, "The projection", [&]<class T>(std::type_identity<T>) {
    withFloatType(scoring.secondLayer.format, "The second layer", [&]<class Weight>(std::type_identity<Weight>) {
      launch(secondLayerKernel<T, Weight>, blocks, threads, 0, stream, layer);
    });
  });
}

}  // namespace locret
