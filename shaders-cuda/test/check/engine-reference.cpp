#include "test/check/engine-reference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace locret::check {
namespace {

using Vector = std::vector<double>;

Vector multiply(const std::vector<float>& matrix, const Vector& input) {
  const std::size_t rows = matrix.size() / input.size();
  Vector output(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < input.size(); ++column) {
      output[row] += static_cast<double>(matrix[row * input.size() + column]) * input[column];
    }
  }
  return output;
}

void add(Vector& sum, const Vector& addition) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += addition[i];
}

double silu(double x) { return x / (1 + std::exp(-x)); }

/** RMSNorm of `count` numbers from `first` on. */
void normalize(Vector& numbers, std::size_t first, const std::vector<float>& weight, double epsilon) {
  double squares = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) squares += numbers[first + i] * numbers[first + i];
  const double scale = 1 / std::sqrt(squares / static_cast<double>(weight.size()) + epsilon);
  for (std::size_t i = 0; i < weight.size(); ++i) numbers[first + i] *= scale * static_cast<double>(weight[i]);
}

Vector normalized(Vector numbers, const std::vector<float>& weight, double epsilon) {
  normalize(numbers, 0, weight, epsilon);
  return numbers;
}

Vector rotated(const Vector& head, int slot, const DecoderShape& shape) {
  const std::size_t pairs = head.size() / 2;
  Vector result(head.size());
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    const double angle = ReferenceDecoder::angle(shape, slot, static_cast<int>(pair));
    result[pair] = head[pair] * std::cos(angle) - head[pair + pairs] * std::sin(angle);
    result[pair + pairs] = head[pair + pairs] * std::cos(angle) + head[pair] * std::sin(angle);
  }
  return result;
}

Vector part(const Vector& numbers, std::size_t first, std::size_t count) {
  const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

ReferenceDecoder::ReferenceDecoder(const DecoderShape& shape, const DecoderWeights& weights)
    : shape_(shape), weights_(weights), cache_(static_cast<std::size_t>(shape.layers * shape.kvHeads)) {}

double ReferenceDecoder::angle(const DecoderShape& shape, int slot, int pair) {
  return slot * std::pow(10'000.0, -2.0 * pair / shape.headDim);
}

const std::vector<ReferenceUnit>& ReferenceDecoder::units(int layer, int kvHead) const {
  return cache_[static_cast<std::size_t>(layer * shape_.kvHeads + kvHead)];
}

Vector ReferenceDecoder::attend(int layer, const Vector& projected, int slot) const {
  const auto size = static_cast<std::size_t>(shape_.headDim);
  Vector attended;
  for (int head = 0; head < shape_.heads; ++head) {
    const Vector query = rotated(part(projected, static_cast<std::size_t>(head) * size, size), slot, shape_);
    const std::vector<ReferenceUnit>& seen = units(layer, head * shape_.kvHeads / shape_.heads);
    const int first = shape_.window == 0 ? 0 : std::max(0, slot + 1 - shape_.window);
    Vector sum(size);
    double denominator = 0;
    for (int unit = first; unit <= slot; ++unit) {
      const ReferenceUnit& one = seen[static_cast<std::size_t>(unit)];
      const Vector key = rotated(one.key, unit, shape_);
      double dot = 0;
      for (std::size_t i = 0; i < size; ++i) dot += query[i] * key[i];
      const double weight = std::exp(dot / std::sqrt(static_cast<double>(size)));
      denominator += weight;
      for (std::size_t i = 0; i < size; ++i) sum[i] += weight * one.value[i];
    }
    for (const double number : sum) attended.push_back(number / denominator);
  }
  return attended;
}

Vector ReferenceDecoder::attention(int layer, const Vector& input, int slot) {
  const DecoderLayer& weights = weights_.layers[static_cast<std::size_t>(layer)];
  const auto size = static_cast<std::size_t>(shape_.headDim);
  const auto heads = static_cast<std::size_t>(shape_.heads);
  const auto kvHeads = static_cast<std::size_t>(shape_.kvHeads);
  Vector projected = multiply(weights.queryKeyValue, input);
  for (std::size_t i = 0; i < projected.size(); ++i) projected[i] += static_cast<double>(weights.queryKeyValueBias[i]);
  Vector activated = multiply(weights.headFirst, shape_.headInput == HeadInput::hidden ? input : projected);
  for (double& number : activated) number = silu(number);
  const Vector scores = multiply(weights.headSecond, activated);
  for (std::size_t head = 0; head < heads + kvHeads; ++head) {
    normalize(projected, head * size, head < heads ? weights.queryNorm : weights.keyNorm, shape_.epsilon);
  }
  for (std::size_t head = 0; head < kvHeads; ++head) {
    cache_[static_cast<std::size_t>(layer) * kvHeads + head].push_back(
        {.key = part(projected, (heads + head) * size, size),
         .value = part(projected, (heads + kvHeads + head) * size, size),
         .score = scores[head],
         .token = nextToken_});
  }
  return multiply(weights.attentionOutput, attend(layer, projected, slot));
}

std::vector<double> ReferenceDecoder::pass(const std::vector<std::int32_t>& tokens) {
  const auto hidden = static_cast<std::size_t>(shape_.hidden);
  const auto feedForward = static_cast<std::size_t>(shape_.feedForward);
  Vector logits;
  for (const std::int32_t token : tokens) {
    const int slot = static_cast<int>(units(0, 0).size());
    Vector residual;
    for (std::size_t i = 0; i < hidden; ++i) {
      residual.push_back(static_cast<double>(weights_.embedding[static_cast<std::size_t>(token) * hidden + i]));
    }
    for (int layer = 0; layer < shape_.layers; ++layer) {
      const DecoderLayer& weights = weights_.layers[static_cast<std::size_t>(layer)];
      add(residual, attention(layer, normalized(residual, weights.beforeAttention, shape_.epsilon), slot));
      const Vector both = multiply(weights.gateUp, normalized(residual, weights.beforeFeedForward, shape_.epsilon));
      Vector gated(feedForward);
      for (std::size_t i = 0; i < feedForward; ++i) gated[i] = silu(both[i]) * both[feedForward + i];
      add(residual, multiply(weights.down, gated));
    }
    const Vector row = multiply(weights_.languageHead, normalized(residual, weights_.finalNorm, shape_.epsilon));
    logits.insert(logits.end(), row.begin(), row.end());
    ++nextToken_;
  }
  return logits;
}

void ReferenceDecoder::evict(int budget, int pinned, int stabilizers) {
  for (std::vector<ReferenceUnit>& units : cache_) {
    const int length = static_cast<int>(units.size());
    if (length <= budget) continue;
    std::vector<int> slots;
    for (int slot = pinned; slot < length - stabilizers; ++slot) slots.push_back(slot);
    std::sort(slots.begin(), slots.end(), [&](int a, int b) {
      const double first = units[static_cast<std::size_t>(a)].score;
      const double second = units[static_cast<std::size_t>(b)].score;
      return first != second ? first > second : a > b;
    });
    slots.resize(static_cast<std::size_t>(budget - pinned - stabilizers));
    for (int slot = 0; slot < pinned; ++slot) slots.push_back(slot);
    for (int slot = length - stabilizers; slot < length; ++slot) slots.push_back(slot);
    std::sort(slots.begin(), slots.end());
    std::vector<ReferenceUnit> kept;
    for (const int slot : slots) kept.push_back(units[static_cast<std::size_t>(slot)]);
    units = kept;
  }
}

}  // namespace locret::check
