#pragma once

#include "device/types.h"
#include "engine/arena.h"
#include "engine/model-sizes.h"

namespace locret {

/** What changes from pass to pass and is read on the device, so that one captured graph serves every step. */
struct PassState {
  /** Units before the pass. */
  std::int32_t length;
  /** Token index of the first token. */
  std::int32_t firstTokenIndex;
  /** See AttentionMassSums. */
  std::int32_t reach;
  /** The token of a decode step. */
  std::int32_t token;
};

/** Rotated keys of one layer, and values when the cache is quantized; and the table of rotations. */
struct Staging {
  float* cosine;
  float* sine;
  void* keys;
  /** Null when values are read from the cache. */
  void* values;
};

Staging placeStaging(const EngineSizes& sizes, Arena& arena);

/** Intermediate values of a pass of up to `chunk` tokens; A: the activations' format. */
struct Workspace {
  PassState* state;
  /** `[chunk]` */
  std::int32_t* tokens;
  /** The residual stream, float32 `[chunk, hidden]`. */
  float* hidden;
  /** A `[chunk, hidden]` */
  void* normalized;
  /** A `[chunk, projectedWidth]` */
  void* projected;
  /** A `[chunk, queryWidth]` */
  void* attended;
  /** What attention or the feed-forward layer adds to the residual stream, float32 `[chunk, hidden]`. */
  float* addition;
  /** A `[chunk, 2 * feedForward]` */
  void* gateUp;
  /** A `[chunk, feedForward]` */
  void* gated;
  /** float32 `[heads, chunk]` */
  float* logSums;
  void* scoreScratch;
  /** float32 `[chunk]`, with heads. */
  float* bonuses;
  void* chunkScratch;
  void* decodeScratch;
  void* massScratch;
  /** Attention observed so far, float32 `[layers, kvHeads, capacity]`. */
  float* attentionSums;
  /** float32 `[layers, kvHeads, capacity]`, or of one layer where ranks are the scores themselves. */
  float* ranks;
  void* rankScratch;
  /** Ascending slots, `[layers * kvHeads, budget]` or `[kvHeads, capacity]`. */
  std::int32_t* kept;
  void* compactScratch;
  /** 1 when a rank is NaN. */
  std::int32_t* invalid;
  /** See CountForgotten. */
  std::int32_t* forgottenUnits;
  std::int32_t* pinnedForgotten;
};

/** @param layer of the cache, for the scratch that its format needs */
Workspace placeWorkspace(const EngineSizes& sizes, const LayerCacheView& layer, Arena& arena);

/** Logits of the last token, and of as many rows as are computed at once when all are wanted. */
struct Logits {
  static constexpr std::int32_t rowsAtOnce = 32;

  /** float32 `[min(rowsAtOnce, chunk), vocabulary]` */
  float* values;
  std::int32_t rows;
  std::int32_t* chosen;
  void* chooseScratch;
};

Logits placeLogits(const EngineSizes& sizes, Arena& arena);

}  // namespace locret
