#include "test/check/engine-under-check.h"

#include <algorithm>
#include <cmath>

#include "device/error.h"
#include "test/check/check.h"

namespace locret::check {

DecoderShape shapeOf(int window, HeadInput headInput) {
  return {.layers = 2,
          .hidden = 64,
          .heads = 4,
          .kvHeads = 2,
          .headDim = 16,
          .feedForward = 96,
          .vocabulary = 100,
          .headWidth = 32,
          .headInput = headInput,
          .window = window,
          .epsilon = 1e-5};
}

DecoderWeights randomWeights(const DecoderShape& shape) {
  Random random(7);
  const auto matrix = [&](int rows, int columns) {
    return random.normals(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns),
                          1.0f / std::sqrt(static_cast<float>(columns)));
  };
  const auto norm = [&](int width) {
    std::vector<float> weights = random.normals(static_cast<std::size_t>(width), 0.1f);
    for (float& weight : weights) weight += 1.0f;
    return weights;
  };
  DecoderWeights weights;
  weights.embedding = matrix(shape.vocabulary, shape.hidden);
  weights.languageHead = matrix(shape.vocabulary, shape.hidden);
  weights.finalNorm = norm(shape.hidden);
  for (int layer = 0; layer < shape.layers; ++layer) {
    DecoderLayer one;
    one.beforeAttention = norm(shape.hidden);
    one.beforeFeedForward = norm(shape.hidden);
    one.queryNorm = norm(shape.headDim);
    one.keyNorm = norm(shape.headDim);
    one.queryKeyValue = matrix(shape.projectedWidth(), shape.hidden);
    one.queryKeyValueBias = random.normals(static_cast<std::size_t>(shape.projectedWidth()), 0.2f);
    one.attentionOutput = matrix(shape.hidden, shape.heads * shape.headDim);
    one.gateUp = matrix(2 * shape.feedForward, shape.hidden);
    one.down = matrix(shape.hidden, shape.feedForward);
    one.headFirst = matrix(shape.headWidth, shape.headColumns());
    one.headSecond = matrix(shape.kvHeads, shape.headWidth);
    weights.layers.push_back(one);
  }
  return weights;
}

LocretConfig configOf(const DecoderShape& shape, int weightFormat, int cacheFormat, const CachePlan& plan) {
  LocretConfig config{};
  config.layers = shape.layers;
  config.hidden = shape.hidden;
  config.heads = shape.heads;
  config.kvHeads = shape.kvHeads;
  config.headDim = shape.headDim;
  config.feedForward = shape.feedForward;
  config.vocabulary = shape.vocabulary;
  config.rotaryDim = shape.headDim;
  config.slidingWindow = shape.window;
  config.normEpsilon = static_cast<float>(shape.epsilon);
  config.queryKeyValueBias = 1;
  config.queryKeyNorm = 1;
  config.headWidth = shape.headWidth;
  config.headInput = static_cast<std::int32_t>(shape.headInput);
  config.policy = LOCRET_POLICY_LOCRET;
  config.weightFormat = weightFormat;
  config.cacheFormat = cacheFormat;
  config.budget = plan.budget;
  config.chunk = plan.chunk;
  config.stabilizers = plan.stabilizers;
  config.pinned = plan.pinned;
  config.capacity = plan.capacity;
  return config;
}

std::vector<std::int32_t> someTokens(int count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int32_t> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(random.below(100));
  return tokens;
}

void expectOk(LocretStatus status) {
  if (status != LOCRET_OK) throw Error(locretErrorCode(), locretErrorText());
}

EngineUnderCheck::EngineUnderCheck(const DecoderShape& shape, const DecoderWeights& weights,
                                   const LocretConfig& config, int device)
    : shape_(shape), config_(config) {
  std::vector<float> cosine;
  std::vector<float> sine;
  for (int slot = 0; slot < config.capacity; ++slot) {
    for (int pair = 0; pair < shape.headDim / 2; ++pair) {
      const double angle = ReferenceDecoder::angle(shape, slot, pair);
      cosine.push_back(static_cast<float>(std::cos(angle)));
      sine.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  expectOk(locretPlan(&config_, &plan_));
  expectOk(locretOpen(&config_, cosine.data(), sine.data(), device, &engine_));
  try {
    loadAll(weights);
  } catch (...) {
    locretClose(engine_);
    throw;
  }
}

EngineUnderCheck::~EngineUnderCheck() { locretClose(engine_); }

LocretState EngineUnderCheck::state() const {
  LocretState state{};
  expectOk(locretState(engine_, &state));
  return state;
}

std::vector<float> EngineUnderCheck::pass(const std::vector<std::int32_t>& tokens, int eviction,
                                          int observeFrom) const {
  std::vector<float> logits(tokens.size() * static_cast<std::size_t>(shape_.vocabulary));
  const auto count = static_cast<std::int32_t>(tokens.size());
  const LocretPass pass{.tokens = tokens.data(),
                        .count = count,
                        .firstTokenIndex = state().nextTokenIndex,
                        .eviction = eviction,
                        .logits = LOCRET_LOGITS_ALL,
                        .logitRows = logits.data(),
                        .observeFrom = observeFrom < 0 ? count : observeFrom,
                        .bonuses = nullptr,
                        .decision = nullptr};
  LocretPassTimes times{};
  expectOk(locretPass(engine_, &pass, &times));
  return logits;
}

std::vector<float> EngineUnderCheck::step(std::int32_t token) const {
  std::vector<float> logits(static_cast<std::size_t>(shape_.vocabulary));
  expectOk(locretStep(engine_, token, 0));
  expectOk(locretLastLogits(engine_, logits.data()));
  return logits;
}

std::vector<std::int32_t> EngineUnderCheck::tokenIndices() const {
  const LocretState now = state();
  std::vector<std::int32_t> indices(static_cast<std::size_t>(shape_.layers * shape_.kvHeads * now.length));
  expectOk(locretTokenIndices(engine_, indices.data()));
  return indices;
}

std::vector<double> EngineUnderCheck::observed() const {
  std::vector<double> mass(static_cast<std::size_t>(state().nextTokenIndex));
  std::int32_t queries = 0;
  expectOk(locretObserved(engine_, mass.data(), &queries));
  return mass;
}

template <class Use>
void EngineUnderCheck::eachLayer(int length, Use use) const {
  const auto units = static_cast<std::size_t>(shape_.kvHeads) * static_cast<std::size_t>(length);
  // Filled up to where a float32 may begin.
  const std::size_t packed = static_cast<std::size_t>(units * plan_.unitBytes + plan_.layerTableBytes + 3) / 4 * 4;
  for (int layer = 0; layer < shape_.layers; ++layer) {
    std::vector<unsigned char> bytes(packed + units * 8);
    LocretLayer buffers{.units = bytes.data(),
                        .scores = reinterpret_cast<float*>(bytes.data() + packed),
                        .tokenIndices = reinterpret_cast<std::int32_t*>(bytes.data() + packed + units * 4)};
    use(layer, buffers, bytes);
  }
}

std::vector<unsigned char> EngineUnderCheck::exportAll() const {
  std::vector<unsigned char> all;
  eachLayer(state().length, [&](int layer, LocretLayer& buffers, std::vector<unsigned char>& bytes) {
    expectOk(locretExport(engine_, layer, &buffers));
    all.insert(all.end(), bytes.begin(), bytes.end());
  });
  return all;
}

void EngineUnderCheck::importAll(const std::vector<unsigned char>& all, const LocretState& at) const {
  std::size_t begin = 0;
  eachLayer(at.length, [&](int layer, LocretLayer& buffers, std::vector<unsigned char>& bytes) {
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(begin), bytes.size(), bytes.begin());
    begin += bytes.size();
    expectOk(locretImport(engine_, layer, at.length, &buffers));
  });
  expectOk(locretResume(engine_, at.length, at.nextTokenIndex));
}

void EngineUnderCheck::loadAll(const DecoderWeights& weights) const {
  load(LOCRET_EMBEDDING, 0, weights.embedding, shape_.hidden);
  load(LOCRET_LANGUAGE_HEAD, 0, weights.languageHead, shape_.hidden);
  load(LOCRET_FINAL_NORM, 0, weights.finalNorm, 1);
  for (int layer = 0; layer < shape_.layers; ++layer) loadLayer(layer, weights.layers[static_cast<std::size_t>(layer)]);
  expectOk(locretReady(engine_));
}

void EngineUnderCheck::loadLayer(int layer, const DecoderLayer& weights) const {
  load(LOCRET_NORM_BEFORE_ATTENTION, layer, weights.beforeAttention, 1);
  load(LOCRET_NORM_BEFORE_FEED_FORWARD, layer, weights.beforeFeedForward, 1);
  load(LOCRET_QUERY_NORM, layer, weights.queryNorm, 1);
  load(LOCRET_KEY_NORM, layer, weights.keyNorm, 1);
  load(LOCRET_QUERY_KEY_VALUE, layer, weights.queryKeyValue, shape_.hidden);
  load(LOCRET_QUERY_KEY_VALUE_BIAS, layer, weights.queryKeyValueBias, 1);
  load(LOCRET_ATTENTION_OUTPUT, layer, weights.attentionOutput, shape_.heads * shape_.headDim);
  load(LOCRET_GATE_UP, layer, weights.gateUp, shape_.hidden);
  load(LOCRET_DOWN, layer, weights.down, shape_.feedForward);
  load(LOCRET_HEAD_FIRST, layer, weights.headFirst, shape_.headColumns());
  load(LOCRET_HEAD_SECOND, layer, weights.headSecond, shape_.headWidth);
}

void EngineUnderCheck::load(LocretTensor tensor, int layer, const std::vector<float>& values, int columns) const {
  const LocretPiece piece{.tensor = tensor,
                          .layer = layer,
                          .firstRow = 0,
                          .rows = static_cast<std::int32_t>(values.size() / static_cast<std::size_t>(columns)),
                          .columns = columns,
                          .format = LOCRET_FLOAT32,
                          .values = values.data(),
                          .bytes = values.size() * sizeof(float)};
  expectOk(locretLoad(engine_, &piece));
}

}  // namespace locret::check
