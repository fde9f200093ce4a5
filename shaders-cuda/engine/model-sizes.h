#pragma once

#include <cstdint>
#include <limits>

#include "device/types.h"

namespace locret {

/** What ranks the cache units of a KV head. */
enum class Policy : std::int32_t { locret = 0, keyDifference = 1, sinkRecent = 2 };

/** The sizes of a decoder, in one form for all families. */
struct ModelSizes {
  std::int32_t layers;
  std::int32_t hidden;
  std::int32_t heads;
  std::int32_t kvHeads;
  std::int32_t headDim;
  std::int32_t feedForward;
  std::int32_t vocabulary;
  std::int32_t rotaryDim;
  /** Slots that attention reaches back; 0: all. */
  std::int32_t window;
  float normEpsilon;
  bool tiedEmbeddings;
  bool queryKeyValueBias;
  bool outputBias;
  bool feedForwardBias;
  bool queryKeyNorm;
  /** Width of the retaining heads (d_R); 0 without. */
  std::int32_t headWidth;
  HeadInput headInput;

  std::int32_t queryWidth() const { return heads * headDim; }
  std::int32_t keyWidth() const { return kvHeads * headDim; }
  /** Of query, key and value side by side. */
  std::int32_t projectedWidth() const { return queryWidth() + 2 * keyWidth(); }
  /** Columns of a retaining head's first layer. */
  std::int32_t headColumns() const { return headInput == HeadInput::hidden ? hidden : projectedWidth(); }
  bool hasHeads() const { return headWidth > 0; }
};

/** Sizes in cache units per KV head; see CachePlan in server/engine/engine.ts. */
struct CacheSizes {
  static constexpr std::int32_t unlimited = std::numeric_limits<std::int32_t>::max();

  /** `unlimited`: nothing is ever evicted. */
  std::int32_t budget;
  std::int32_t chunk;
  std::int32_t stabilizers;
  std::int32_t pinned;
  std::int32_t capacity;
};

/** Formats of everything that an engine holds. */
struct Formats {
  NumberFormat weights;
  /** Embedding and language head: 4 bits would blur the choice of the next token. */
  NumberFormat tables;
  NumberFormat activation;
  NumberFormat cache;
};

/** Everything that is fixed while an engine lives. */
struct EngineSizes {
  ModelSizes model;
  CacheSizes cache;
  Formats formats;
  Policy policy;
};

/** The formats that go with these weights: activations are bfloat16 beside int8 and int4, otherwise the weights'. */
Formats formatsFor(NumberFormat weights, NumberFormat cache);

/**
 * Throws unless the kernels run a decoder of these sizes.
 * @throws Error model-unsupported for a model that they do not know, invalid-argument for a plan that does not add up
 */
void checkSizes(const EngineSizes& sizes);

}  // namespace locret
