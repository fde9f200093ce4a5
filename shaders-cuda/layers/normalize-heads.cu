#include "layers/normalize-heads.h"

#include "device/activation.cuh"
#include "device/error.h"
#include "device/launch.cuh"

#include <cstdint>
#include <string>

namespace locret {
namespace {

constexpr int warpWidth = 32;
constexpr int warps = 8;
constexpr unsigned everyLane = 0xffffffffu;

/** One warp per query or key head of a token; each lane holds four dimensions. */
template <typename Number>
__global__ void __launch_bounds__(warps* warpWidth) normalizeHeadsKernel(NormalizeHeads normalization) {
  using Four = FourNumbers<Number>;
  const ProjectedTokens& tokens = normalization.tokens;
  const int normalized = tokens.heads + tokens.kvHeads;
  const int lane = static_cast<int>(threadIdx.x) % warpWidth;
  const std::int64_t vector = static_cast<std::int64_t>(blockIdx.x) * warps + threadIdx.x / warpWidth;
  const std::int64_t token = vector / normalized;
  if (token >= tokens.tokens) return;
  const int head = static_cast<int>(vector - token * normalized);
  const int fours = tokens.headDim / 4;
  const std::int64_t first = (token * (normalized + tokens.kvHeads) + head) * fours;
  // The projections are the engine's own buffer; only attention and retaining heads read them as constant.
  Four* values = static_cast<Four*>(const_cast<void*>(tokens.values)) + first;
  const float* weight = head < tokens.heads ? normalization.queryWeight : normalization.keyWeight;

  Four own{};
  if (lane < fours) own = values[lane];
  float squares = 0.0f;
#pragma unroll
  for (int i = 0; i < 4; ++i) squares += static_cast<float>(own.at[i]) * static_cast<float>(own.at[i]);
  for (int distance = warpWidth / 2; distance > 0; distance /= 2) {
    squares += __shfl_xor_sync(everyLane, squares, distance);
  }
  if (lane >= fours) return;
  const float scale = 1.0f / sqrtf(squares / static_cast<float>(tokens.headDim) + normalization.epsilon);
  const auto weights = reinterpret_cast<const FourNumbers<float>*>(weight)[lane];
#pragma unroll
  for (int i = 0; i < 4; ++i) own.at[i] = static_cast<Number>(static_cast<float>(own.at[i]) * scale * weights.at[i]);
  values[lane] = own;
}

}  // namespace

void normalizeHeads(const NormalizeHeads& normalization, cudaStream_t stream) {
  const ProjectedTokens& tokens = normalization.tokens;
  expect(tokens.tokens >= 1 && tokens.heads >= 1 && tokens.kvHeads >= 1 && tokens.headDim >= 4 &&
             tokens.headDim <= 4 * warpWidth && tokens.headDim % 4 == 0,
         "Cannot normalize " + std::to_string(tokens.heads) + " query and " + std::to_string(tokens.kvHeads) +
             " key heads of " + std::to_string(tokens.headDim) + " dimensions of " + std::to_string(tokens.tokens) +
             " tokens; expected at least one each, and dimensions a multiple of 4 up to 128.");
  const std::int64_t vectors = static_cast<std::int64_t>(tokens.tokens) * (tokens.heads + tokens.kvHeads);
  const auto blocks = static_cast<unsigned>((vectors + warps - 1) / warps);
  withActivation(tokens.format, [&](auto number) {
    launch(normalizeHeadsKernel<decltype(number)>, dim3(blocks), dim3(warps * warpWidth), 0, stream, normalization);
  });
}

}  // namespace locret
