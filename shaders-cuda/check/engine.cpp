// The whole engine over its C interface, against a decoder in float64: passes with evictions, decode steps, and what a
// memory does with its cache.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "check/check.h"
#include "check/engine-reference.h"
#include "device/device-memory.h"
#include "engine/locret-cuda.h"

namespace locret::check {
namespace {

constexpr int budget = 24;
constexpr int chunk = 16;
constexpr int stabilizers = 5;
constexpr int pinned = 2;
constexpr int capacity = 64;

DecoderShape shapeOf(int window, HeadInput headInput = HeadInput::queryKeyValue) {
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

LocretConfig configOf(const DecoderShape& shape, int weightFormat, int cacheFormat) {
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
  config.budget = budget;
  config.chunk = chunk;
  config.stabilizers = stabilizers;
  config.pinned = pinned;
  config.capacity = capacity;
  return config;
}

void expectOk(LocretStatus status) {
  if (status != LOCRET_OK) throw Error(locretErrorCode(), locretErrorText());
}

/** An open engine with these weights. */
class Engine {
 public:
  Engine(const DecoderShape& shape, const DecoderWeights& weights, int weightFormat, int cacheFormat)
      : shape_(shape), config_(configOf(shape, weightFormat, cacheFormat)) {
    std::vector<float> cosine;
    std::vector<float> sine;
    for (int slot = 0; slot < capacity; ++slot) {
      for (int pair = 0; pair < shape.headDim / 2; ++pair) {
        const double angle = ReferenceDecoder::angle(shape, slot, pair);
        cosine.push_back(static_cast<float>(std::cos(angle)));
        sine.push_back(static_cast<float>(std::sin(angle)));
      }
    }
    expectOk(locretPlan(&config_, &plan_));
    expectOk(locretOpen(&config_, cosine.data(), sine.data(), 0, &engine_));
    load(LOCRET_EMBEDDING, 0, weights.embedding, shape.hidden);
    load(LOCRET_LANGUAGE_HEAD, 0, weights.languageHead, shape.hidden);
    load(LOCRET_FINAL_NORM, 0, weights.finalNorm, 1);
    for (int layer = 0; layer < shape.layers; ++layer) {
      loadLayer(layer, weights.layers[static_cast<std::size_t>(layer)]);
    }
    expectOk(locretReady(engine_));
  }
  ~Engine() { locretClose(engine_); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  LocretEngine* get() const { return engine_; }

  LocretState state() const {
    LocretState state{};
    expectOk(locretState(engine_, &state));
    return state;
  }

  std::vector<float> pass(const std::vector<std::int32_t>& tokens, int eviction) const {
    std::vector<float> logits(tokens.size() * static_cast<std::size_t>(shape_.vocabulary));
    const LocretPass pass{.tokens = tokens.data(),
                          .count = static_cast<std::int32_t>(tokens.size()),
                          .firstTokenIndex = state().nextTokenIndex,
                          .eviction = eviction,
                          .logits = LOCRET_LOGITS_ALL,
                          .logitRows = logits.data(),
                          .observeFrom = static_cast<std::int32_t>(tokens.size()),
                          .decision = nullptr};
    LocretPassTimes times{};
    expectOk(locretPass(engine_, &pass, &times));
    return logits;
  }

  std::vector<float> step(std::int32_t token) const {
    std::vector<float> logits(static_cast<std::size_t>(shape_.vocabulary));
    expectOk(locretStep(engine_, token, 0));
    expectOk(locretLastLogits(engine_, logits.data()));
    return logits;
  }

  std::vector<std::int32_t> tokenIndices() const {
    const LocretState now = state();
    std::vector<std::int32_t> indices(static_cast<std::size_t>(shape_.layers * shape_.kvHeads * now.length));
    expectOk(locretTokenIndices(engine_, indices.data()));
    return indices;
  }

  /** All layers' units, scores and indices, byte by byte. */
  std::vector<unsigned char> exportAll() const {
    std::vector<unsigned char> all;
    eachLayer(state().length, [&](int layer, LocretLayer& buffers, std::vector<unsigned char>& bytes) {
      expectOk(locretExport(engine_, layer, &buffers));
      all.insert(all.end(), bytes.begin(), bytes.end());
    });
    return all;
  }

  void importAll(const std::vector<unsigned char>& all, const LocretState& at) const {
    expectOk(locretClear(engine_));
    std::size_t begin = 0;
    eachLayer(at.length, [&](int layer, LocretLayer& buffers, std::vector<unsigned char>& bytes) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(begin), bytes.size(), bytes.begin());
      begin += bytes.size();
      expectOk(locretImport(engine_, layer, at.length, &buffers));
    });
    expectOk(locretResume(engine_, at.length, at.nextTokenIndex));
  }

 private:
  template <class Use>
  void eachLayer(int length, Use use) const {
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

  void loadLayer(int layer, const DecoderLayer& weights) {
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

  void load(LocretTensor tensor, int layer, const std::vector<float>& values, int columns) {
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

  DecoderShape shape_;
  LocretConfig config_;
  LocretPlan plan_{};
  LocretEngine* engine_ = nullptr;
};

std::vector<std::int32_t> someTokens(int count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int32_t> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(random.below(100));
  return tokens;
}

std::vector<std::int32_t> indicesOf(const ReferenceDecoder& reference, const DecoderShape& shape) {
  std::vector<std::int32_t> indices;
  for (int layer = 0; layer < shape.layers; ++layer) {
    for (int head = 0; head < shape.kvHeads; ++head) {
      for (const ReferenceUnit& unit : reference.units(layer, head)) indices.push_back(unit.token);
    }
  }
  return indices;
}

/** Reads in chunks with evictions, then goes on token by token. */
void checkReading(Report& report, const std::string& name, const DecoderShape& shape) {
  const DecoderWeights weights = randomWeights(shape);
  const Engine engine(shape, weights, LOCRET_FLOAT32, LOCRET_FLOAT32);
  ReferenceDecoder reference(shape, weights);
  constexpr double bound = 1e-4;
  for (int pass = 0; pass < 4; ++pass) {
    const bool last = pass == 3;
    const std::vector<std::int32_t> tokens = someTokens(last ? 7 : chunk, static_cast<std::uint64_t>(pass) + 1);
    const std::vector<double> expected = reference.pass(tokens);
    const std::string sizes = name + "pass " + std::to_string(pass);
    const int eviction = last ? LOCRET_EVICT_FINAL : LOCRET_EVICT_BETWEEN_CHUNKS;
    report.compare(sizes, engine.pass(tokens, eviction), expected, bound);
    reference.evict(budget, pinned, last ? 0 : stabilizers);
    report.same(sizes + ", kept units", engine.tokenIndices(), indicesOf(reference, shape));
  }
  for (int step = 0; step < 4; ++step) {
    const std::int32_t token = 11 * step;
    report.compare(name + "step " + std::to_string(step), engine.step(token), reference.pass({token}), bound);
  }
}

const Registration reading{"engine/reading", [](Report& report) {
  checkReading(report, "", shapeOf(0));
  checkReading(report, "window 19, ", shapeOf(19));
  checkReading(report, "heads on hidden states, ", shapeOf(0, HeadInput::hidden));
}};

const Registration cache{"engine/cache", [](Report& report) {
  const DecoderShape shape = shapeOf(0);
  const DecoderWeights weights = randomWeights(shape);
  for (const int format : {LOCRET_BFLOAT16, LOCRET_INT8, LOCRET_INT4}) {
    const std::string name = "format " + std::to_string(format);
    const Engine engine(shape, weights, LOCRET_BFLOAT16, format);
    engine.pass(someTokens(chunk, 1), LOCRET_EVICT_BETWEEN_CHUNKS);
    engine.pass(someTokens(chunk, 2), LOCRET_EVICT_FINAL);
    const LocretState mark = engine.state();
    const std::vector<unsigned char> before = engine.exportAll();
    const std::vector<float> answer = engine.pass(someTokens(9, 3), LOCRET_EVICT_NONE);
    const std::size_t held = allocationCounters().bytes;
    for (int cycle = 0; cycle < 40; ++cycle) {
      expectOk(locretRewind(engine.get(), &mark));
      engine.pass(someTokens(5, static_cast<std::uint64_t>(cycle)), LOCRET_EVICT_NONE);
    }
    expectOk(locretRewind(engine.get(), &mark));
    report.same(name + ", rewound", engine.exportAll(), before);
    report.expect(name + ", nothing more is allocated", allocationCounters().bytes == held);
    engine.importAll(before, mark);
    report.same(name + ", restored", engine.exportAll(), before);
    report.same(name + ", the same answer", engine.pass(someTokens(9, 3), LOCRET_EVICT_NONE), answer);
    const std::int32_t ranges[] = {3, 9, 20, 25};
    std::int32_t dropped = 0;
    expectOk(locretForget(engine.get(), ranges, 2, &dropped));
    const std::vector<std::int32_t> left = engine.tokenIndices();
    report.expect(name + ", forgotten", dropped > 0 && std::none_of(left.begin(), left.end(), [](std::int32_t token) {
                                          return (token >= 3 && token < 9) || (token >= 20 && token < 25);
                                        }));
  }
}};

}  // namespace
}  // namespace locret::check
