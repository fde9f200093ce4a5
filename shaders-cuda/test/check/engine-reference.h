#pragma once

#include <cstdint>
#include <vector>

#include "device/types.h"

namespace locret::check {

/** Sizes of a small decoder with everything that a family may have: biases, head norms, retaining heads. */
struct DecoderShape {
  int layers;
  int hidden;
  int heads;
  int kvHeads;
  int headDim;
  int feedForward;
  int vocabulary;
  int headWidth;
  HeadInput headInput;
  int window;
  double epsilon;

  int headColumns() const { return headInput == HeadInput::hidden ? hidden : projectedWidth(); }
  int projectedWidth() const { return (heads + 2 * kvHeads) * headDim; }
};

/** A layer's weights, matrices `[out, in]` row after row. */
struct DecoderLayer {
  std::vector<float> beforeAttention, beforeFeedForward, queryNorm, keyNorm;
  std::vector<float> queryKeyValue, queryKeyValueBias, attentionOutput, gateUp, down, headFirst, headSecond;
};

struct DecoderWeights {
  std::vector<float> embedding, languageHead, finalNorm;
  std::vector<DecoderLayer> layers;
};

/** A unit of one KV head. */
struct ReferenceUnit {
  /** Before RoPE. */
  std::vector<double> key, value;
  double score;
  std::int32_t token;
};

/** The decoder with its retained cache in float64, as plainly as it can be written. */
class ReferenceDecoder {
 public:
  ReferenceDecoder(const DecoderShape& shape, const DecoderWeights& weights);

  /** Appends tokens; returns logits of all of them, `[tokens, vocabulary]`. */
  std::vector<double> pass(const std::vector<std::int32_t>& tokens);
  /** Every KV head keeps the first `pinned`, the last `stabilizers` and its best units, `budget` in all. */
  void evict(int budget, int pinned, int stabilizers);

  /** Units of a KV head. */
  const std::vector<ReferenceUnit>& units(int layer, int kvHead) const;
  /** The angle of a slot's rotation of a pair of channels. */
  static double angle(const DecoderShape& shape, int slot, int pair);

 private:
  std::vector<double> attend(int layer, const std::vector<double>& query, int slot) const;
  std::vector<double> attention(int layer, const std::vector<double>& normalized, int slot);

  DecoderShape shape_;
  const DecoderWeights& weights_;
  std::vector<std::vector<ReferenceUnit>> cache_;
  std::int32_t nextToken_ = 0;
};

}  // namespace locret::check
