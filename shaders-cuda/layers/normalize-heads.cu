#include "layers/normalize-heads.h"

#include "device/error.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/warp.cuh"

#include <cstdint>
#include <string>

namespace locret {
namespace {

constexpr int warps = 8;
constexpr int threads = warps * lanesPerWarp;

/** One warp per query or key head of a token; each lane holds four dimensions. */
template <class T>
__global__ void __launch_bounds__(threads) normalizeHeadsKernel(NormalizeHeads normalization) {
  const ProjectedTokens& tokens = normalization.tokens;
  const int normalized = tokens.heads + tokens.kvHeads;
  const std::int64_t vector = static_cast<std::int64_t>(blockIdx.x) * warps + warpIndex();
  const std::int64_t token = vector / normalized;
  if (token >= tokens.tokens) return;
  const int head = static_cast<int>(vector - token * normalized);
  const int dimension = 4 * laneIndex();
  const std::int64_t first = (token * (normalized + tokens.kvHeads) + head) * tokens.headDim;
  // The projections are the engine's own buffer; only attention and retaining heads read them as constant.
  T* values = static_cast<T*>(const_cast<void*>(tokens.values)) + first + dimension;
  const float* weight = head < tokens.heads ? normalization.queryWeight : normalization.keyWeight;

  const bool holds = dimension < tokens.headDim;
  float own[4] = {};
  if (holds) loadFloats(values, own);
  const float squares = warpSum(own[0] * own[0] + own[1] * own[1] + own[2] * own[2] + own[3] * own[3]);
  if (!holds) return;
  const float scale = 1.0f / sqrtf(squares / static_cast<float>(tokens.headDim) + normalization.epsilon);
  float weights[4];
  loadFloats(weight + dimension, weights);
#pragma unroll
  for (int i = 0; i < 4; ++i) own[i] *= scale * weights[i];
  storeFloats(values, own);
}

}  // namespace

void normalizeHeads(const NormalizeHeads& normalization, cudaStream_t stream) {
  const ProjectedTokens& tokens = normalization.tokens;
  expect(tokens.tokens >= 1 && tokens.heads >= 1 && tokens.kvHeads >= 1 && tokens.headDim >= 4 &&
             tokens.headDim <= 4 * lanesPerWarp && tokens.headDim % 4 == 0,
         "Cannot normalize " + std::to_string(tokens.heads) + " query and " + std::to_string(tokens.kvHeads) +
             " key heads of " + std::to_string(tokens.headDim) + " dimensions of " + std::to_string(tokens.tokens) +
             " tokens; expected at least one each, and dimensions a multiple of 4 up to 128.");
  const std::int64_t vectors = static_cast<std::int64_t>(tokens.tokens) * (tokens.heads + tokens.kvHeads);
  withFloatType(tokens.format, "The projection", [&]<class T>(std::type_identity<T>) {
    launch(normalizeHeadsKernel<T>, blocksFor(vectors, warps), threads, 0, stream, normalization);
  });
}

}  // namespace locret
