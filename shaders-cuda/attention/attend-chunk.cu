#include "attention/attend-chunk.h"

#include <algorithm>
#include <string>

#include "attention/attend-chunk-float.h"
#include "attention/attend-chunk-tensor.h"
#include "attention/cache-format.h"
#include "attention/rope.cuh"
#include "device/error.h"
#include "device/launch.cuh"

namespace locret {
namespace {

/** Blocks that keep a large device busy: two on each of 128 multiprocessors. */
constexpr int busyBlocks = 256;
/** Units below which a part is not worth its own block. */
constexpr int leastUnitsPerPart = 256;

int rowTiles(const ProjectedTokens& tokens) {
  const std::int64_t rows = static_cast<std::int64_t>(tokens.tokens) * (tokens.heads / tokens.kvHeads);
  return static_cast<int>(blocksFor(rows, chunkRowsPerBlock));
}

/** How many blocks share the units of a tile of queries: a short chunk alone has too few tiles. */
int partsOf(const AttendChunk& attention) {
  if (attention.scratch == nullptr) return 1;
  const ProjectedTokens& tokens = attention.tokens;
  const int units = attention.retained + tokens.tokens;
  const int seen = attention.window > 0 ? std::min(units, attention.window + tokens.tokens) : units;
  return std::max(1, std::min(busyBlocks / (rowTiles(tokens) * tokens.kvHeads), seen / leastUnitsPerPart));
}

void expectSizes(const AttendChunk& attention) {
  const ProjectedTokens& tokens = attention.tokens;
  expectHeadDim(tokens.format, tokens.headDim);
  expectRotaryDim(tokens.format, attention.rope.rotaryDim, tokens.headDim);
  expect(attention.format == tokens.format, "Staged keys and values must be in the activations' format.");
  expect(tokens.kvHeads > 0 && tokens.heads % tokens.kvHeads == 0,
         std::to_string(tokens.heads) + " query heads cannot share " + std::to_string(tokens.kvHeads) +
             " KV heads evenly.");
  const int room = attention.valueCapacity > 0 ? std::min(attention.valueCapacity, attention.stagingCapacity)
                                               : attention.stagingCapacity;
  expect(attention.retained >= 0 && attention.retained <= room - tokens.tokens,
         std::to_string(attention.retained) + " retained units and " + std::to_string(tokens.tokens) +
             " new ones do not fit the staging area of " + std::to_string(room) + ".");
}

}  // namespace

std::size_t chunkScratchBytes(int headDim) { return attentionPartsBytes(busyBlocks, chunkRowsPerBlock, headDim); }

void attendChunk(const AttendChunk& attention, cudaStream_t stream) {
  expectSizes(attention);
  const ProjectedTokens& tokens = attention.tokens;
  if (tokens.tokens == 0) return;
  if (tokens.format == NumberFormat::float32) return attendChunkFloat(attention, stream);
  const int parts = partsOf(attention);
  const int rows = tokens.tokens * tokens.heads;
  ChunkAttention chunk{attention, {}};
  if (parts > 1) chunk.parts = attentionParts(attention.scratch, parts, rows, tokens.headDim);
  if (tokens.format == NumberFormat::bfloat16) {
    attendChunkBfloat16(chunk, parts, stream);
  } else {
    attendChunkFloat16(chunk, parts, stream);
  }
  if (parts > 1) joinParts({chunk.parts, attention.output, tokens.format, attention.logSums, tokens.heads}, stream);
}

}  // namespace locret
