#pragma once

#include <cstddef>
#include <cstdint>

namespace locret {

/** How numbers lie in device memory. int8 and int4 come with scales. */
enum class NumberFormat : std::int32_t { float32 = 0, bfloat16 = 1, float16 = 2, int8 = 3, int4 = 4 };

/** A weight matrix on the device, `[rows, columns]` (out, in): y = x · Wᵀ. How it is packed: products/product.h. */
struct WeightMatrix {
  NumberFormat format;
  const void* values;
  /** int8 and int4: one scale per group of columns of a row; otherwise null. */
  const void* scales;
  std::int32_t rows;
  std::int32_t columns;
};

/** output = input · Wᵀ + bias. */
struct Product {
  /** `[tokens, columns]` in `activation`. */
  const void* input;
  NumberFormat activation;
  WeightMatrix weight;
  /** float32 `[rows]`, or null. */
  const float* bias;
  /** `[tokens, rows]` in `outputFormat`: float32 or the activation's. */
  void* output;
  NumberFormat outputFormat;
  std::int32_t tokens;
};

/**
 * The cache of one layer, per KV head `capacity` units. Keys are kept before RoPE. Unit `slot` of head h starts at
 * element `(h * capacity + slot) * headDim`; slots are ascending in token index and the same number in every head.
 */
struct LayerCacheView {
  /** Of keys and values: float32, bfloat16, float16, int8 or int4. */
  NumberFormat format;
  void* keys;
  void* values;
  /** int8 and int4: what turns codes into numbers (attention/cache-format.h); otherwise null. */
  void* keyScales;
  void* valueScales;
  void* keyChannelScales;
  /** Raw causal importance scores, float32 `[kvHeads, capacity]`. */
  float* scores;
  /** `[kvHeads, capacity]` */
  std::int32_t* tokenIndices;
  std::int32_t kvHeads;
  std::int32_t headDim;
  std::int32_t capacity;
};

/** Cosine and sine of every slot, float32 `[capacity, rotaryDim / 2]`, already multiplied by the attention factor. */
struct RopeTable {
  const float* cosine;
  const float* sine;
  std::int32_t rotaryDim;
};

/** Queries, keys and values of the chunk as the fused product leaves them: per token [q heads | k heads | v heads]. */
struct ProjectedTokens {
  /** `[tokens, (heads + 2 * kvHeads) * headDim]` in `format`, before RoPE. */
  const void* values;
  NumberFormat format;
  std::int32_t tokens;
  std::int32_t heads;
  std::int32_t kvHeads;
  std::int32_t headDim;
};

/**
 * Writes keys and values of the chunk behind the cache's `length` units, and their token indices (first + i). Scores of
 * new units are set by scoreUnits; without retaining heads nobody sets them.
 */
struct AppendUnits {
  ProjectedTokens tokens;
  LayerCacheView cache;
  /** Units before the append; on the device, so that a captured decode step can read it. */
  const std::int32_t* length;
  /** Token index of the first appended token, on the device. */
  const std::int32_t* firstTokenIndex;
};

/** Keys of slots 0..count-1 dequantized and rotated into `[kvHeads, stagingCapacity, headDim]` in `format`. */
struct RotateKeys {
  LayerCacheView cache;
  RopeTable rope;
  void* staging;
  /** Values too, only when the cache's format is not `format`; otherwise null and the cache is read. */
  void* valueStaging;
  NumberFormat format;
  std::int32_t stagingCapacity;
  std::int32_t count;
};

/**
 * Attention of a chunk over [retained ‖ new]: query i (of slot `retained + i`) sees all retained units and new units
 * 0..i. Optionally only the last `window` slots (sliding window; 0: no limit). Queries are rotated on the fly.
 */
struct AttendChunk {
  ProjectedTokens tokens;
  RopeTable rope;
  /** Rotated keys `[kvHeads, stagingCapacity, headDim]` and values of the same shape, in `format`. */
  const void* keys;
  const void* values;
  NumberFormat format;
  std::int32_t stagingCapacity;
  std::int32_t retained;
  std::int32_t window;
  float scale;
  /** `[tokens, heads * headDim]` in the activation format `tokens.format`. */
  void* output;
  /** Log of the softmax denominators, float32 `[heads, tokens]`, or null: attentionMass needs them. */
  float* logSums;
  /** Units per KV head in `values` when they are read from the cache; 0: stagingCapacity. */
  std::int32_t valueCapacity = 0;
  /** Of chunkScratchBytes(headDim), or null: short chunks are faster with it. */
  void* scratch = nullptr;
};

/** One query per head over the whole cache, unit of the query included (it was appended before). */
struct AttendDecode {
  /** tokens = 1. */
  ProjectedTokens tokens;
  LayerCacheView cache;
  RopeTable rope;
  /** Units in the cache before the append of this token; it attends to length + 1 units. On the device. */
  const std::int32_t* length;
  std::int32_t window;
  float scale;
  void* output;
  /** Scratch of the split: decodeScratchBytes(heads, kvHeads, headDim, capacity). */
  void* scratch;
  float* logSums;
};

/** Adds the attention that query tokens from `firstObserved` on pay to each unit, float32 `[kvHeads, capacity]`. */
struct AttentionMassSums {
  ProjectedTokens tokens;
  LayerCacheView cache;
  RopeTable rope;
  /** Units before this chunk, on the device. */
  const std::int32_t* length;
  std::int32_t firstObserved;
  std::int32_t window;
  float scale;
  /** Of attendChunk or attendDecode for these tokens; not read when `reach` is given. */
  const float* logSums;
  float* sums;
  /**
   * Null: all units that a query sees. Otherwise, on the device: only units of slots below it count, and each query's
   * attention to those is shared out to 1, so that the kernel makes the denominators itself. For an answer's tokens:
   * their attention to what stood there before the answer. It is on demand, so it need not be fast.
   */
  const std::int32_t* reach = nullptr;
  /** Of massScratchBytes(tokens, heads), for `reach`. */
  void* scratch = nullptr;
};

/** hidden[t] = table[tokenIds[t]], float32 `[tokens, hidden]`. */
struct Embed {
  /** On the device; each is smaller than table.rows (checked by the engine). */
  const std::int32_t* tokenIds;
  WeightMatrix table;
  float* hidden;
  std::int32_t tokens;
};

/** hidden += addition (when not null); output = hidden / sqrt(mean(hidden²) + epsilon) * weight. */
struct Normalize {
  /** float32 `[tokens, width]`, in and out. */
  float* hidden;
  /** `[tokens, width]` in `additionFormat`, or null. */
  const void* addition;
  NumberFormat additionFormat;
  /** float32 `[width]`. */
  const float* weight;
  float epsilon;
  /** `[tokens, width]` in `outputFormat`; null: only the addition. */
  void* output;
  NumberFormat outputFormat;
  std::int32_t tokens;
  std::int32_t width;
};

/** RMSNorm over each query and key head, in place (qwen3). */
struct NormalizeHeads {
  ProjectedTokens tokens;
  /** float32 `[headDim]` each. */
  const float* queryWeight;
  const float* keyWeight;
  float epsilon;
};

/** output = silu(gate) * up of `[tokens, gate ‖ up]`. */
struct Gate {
  const void* input;
  NumberFormat format;
  void* output;
  std::int32_t tokens;
  std::int32_t feedForward;
};

/** Index of the highest logit of each row (the lowest index of equal ones). */
struct ChooseHighest {
  const float* logits;
  std::int32_t rows;
  std::int32_t vocabulary;
  /** `[rows]`; -1 for a row with a NaN. */
  std::int32_t* chosen;
  /** chooseScratchBytes(rows). */
  void* scratch;
};

/** What a retaining head reads. */
enum class HeadInput : std::int32_t { queryKeyValue = 0, hidden = 1 };

/**
 * Retaining head of one layer: score = fc2 · act(fc1 · x). The weights of all KV heads lie in one pair of matrices as
 * the checkpoint has them; x as HeadInput says (for queryKeyValue: per token [q ‖ k ‖ v] before RoPE).
 */
struct ScoreUnits {
  ProjectedTokens tokens;
  /** `[tokens, hidden]` in `tokens.format`; for HeadInput::hidden only. */
  const void* hidden;
  std::int32_t hiddenWidth;
  HeadInput input;
  WeightMatrix firstLayer;
  WeightMatrix secondLayer;
  LayerCacheView cache;
  /** The scores go to slots length.. of the cache. On the device. */
  const std::int32_t* length;
  /** What is added to the scores of each token, float32 `[tokens]` on the device; null: nothing. */
  const float* bonuses;
  /** scoreScratchBytes(tokens, firstLayer.rows, format). */
  void* scratch;
};

/** KeyDiff: rank = minus the cosine between a unit's rotated key and the mean direction of its head's keys. */
struct RankByKeyDifference {
  LayerCacheView cache;
  /** What rotateKeys made of the cache's keys: `[kvHeads, stagingCapacity, headDim]` in `format`, at least `count`. */
  const void* keys;
  NumberFormat format;
  std::int32_t stagingCapacity;
  std::int32_t count;
  /** float32 `[kvHeads, capacity]` */
  float* ranks;
  /** keyDifferenceScratchBytes(kvHeads, headDim). */
  void* scratch;
};

/** StreamingLLM: the first units, the sinks, rank highest, the others by age. */
struct RankByRecency {
  std::int32_t kvHeads;
  std::int32_t stride;
  std::int32_t count;
  /** float32 `[kvHeads, stride]` */
  float* ranks;
};

/** Half-open ranges of token indices on the device, ascending and disjoint: mergeRanges (eviction/token-ranges.h). */
struct ForgottenTokens {
  const std::int32_t* begins;
  const std::int32_t* ends;
  std::int32_t ranges;
};

/** How many units of one layer belong to forgotten tokens. The results go up, over all layers; both start at 0. */
struct CountForgotten {
  LayerCacheView cache;
  std::int32_t count;
  ForgottenTokens tokens;
  std::int32_t pinned;
  /** Of the KV head that holds most of them. */
  std::int32_t* most;
  /** Set to 1 when one of the first `pinned` units of a head is among them. */
  std::int32_t* pinnedForgotten;
};

/** Ranks of a layer with those of forgotten tokens' units lowered to minus infinity. */
struct LowerForgotten {
  LayerCacheView cache;
  std::int32_t count;
  ForgottenTokens tokens;
  /** float32 `[kvHeads, capacity]` */
  const float* ranks;
  /** The same shape; may be `ranks`. */
  float* lowered;
};

/** Chooses the units of each KV head that stay: see server/engine/eviction.ts. */
struct SelectUnits {
  /** float32 `[kvHeads, stride]` */
  const float* ranks;
  std::int32_t stride;
  std::int32_t kvHeads;
  std::int32_t count;
  std::int32_t budget;
  std::int32_t pinned;
  std::int32_t stabilizers;
  /** Ascending slots `[kvHeads, budget]`. */
  std::int32_t* kept;
  /** Set to 1 when a rank is NaN. */
  std::int32_t* invalid;
};

/** Moves the chosen units of each KV head to slots 0..keptCount-1, in place: keys, values, scores, indices, scales. */
struct CompactUnits {
  LayerCacheView cache;
  /** Ascending slots `[kvHeads, keptStride]`. */
  const std::int32_t* kept;
  std::int32_t keptStride;
  std::int32_t keptCount;
  /** compactScratchBytes(cache). */
  void* scratch;
};

}  // namespace locret
