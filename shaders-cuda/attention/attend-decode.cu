#include "attention/attend-decode.h"

#include <algorithm>
#include <string>

#include "attention/attend-decode-tensor.h"
#include "attention/cache-format.h"
#include "attention/rope.cuh"
#include "device/error.h"

namespace locret {
namespace {

/** Warps that keep a large device busy: sixteen on each of 128 multiprocessors. */
constexpr int busyWarps = 2048;
/** With fewer units than this in a part, joining the parts would cost more than reading the units. */
constexpr int leastUnitsPerPart = 32;
constexpr int mostHeadsPerKvHead = 16;

/** Depends on sizes that a captured graph keeps, not on how many units there are. */
int partsOf(int kvHeads, int capacity) {
  return std::max(1, std::min(busyWarps / std::max(1, kvHeads), capacity / leastUnitsPerPart));
}

void expectSizes(const AttendDecode& attention) {
  const ProjectedTokens& tokens = attention.tokens;
  expectHeadDim(tokens.format, tokens.headDim);
  expectRotaryDim(tokens.format, attention.rope.rotaryDim, tokens.headDim);
  expectCacheFormat(attention.cache.format, tokens.format);
  expect(tokens.tokens == 1, "A decode step attends from one token, not from " + std::to_string(tokens.tokens) + ".");
  if (tokens.kvHeads > 0 && tokens.heads % tokens.kvHeads == 0 && tokens.heads / tokens.kvHeads <= mostHeadsPerKvHead) {
    return;
  }
  throw Error("model-unsupported",
              std::to_string(tokens.heads) + " query heads on " + std::to_string(tokens.kvHeads) +
                  " KV heads are not supported: each KV head needs 1 to 16 query heads, all equally "
                  "many. Use the processor for this model.");
}

}  // namespace

std::size_t decodeScratchBytes(int heads, int kvHeads, int headDim, int capacity) {
  return attentionPartsBytes(static_cast<std::size_t>(partsOf(kvHeads, capacity)), static_cast<std::size_t>(heads),
                             headDim);
}

void attendDecode(const AttendDecode& attention, cudaStream_t stream) {
  expectSizes(attention);
  const ProjectedTokens& tokens = attention.tokens;
  const int parts = partsOf(tokens.kvHeads, attention.cache.capacity);
  const DecodeAttention decode{attention, attentionParts(attention.scratch, parts, tokens.heads, tokens.headDim)};
  switch (tokens.format) {
    case NumberFormat::bfloat16:
      attendDecodeBfloat16(decode, stream);
      break;
    case NumberFormat::float16:
      attendDecodeFloat16(decode, stream);
      break;
    default:
      attendDecodeFloat(decode, stream);
  }
  joinParts({decode.parts, attention.output, tokens.format, attention.logSums, tokens.heads}, stream);
}

}  // namespace locret
