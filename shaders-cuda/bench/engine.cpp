// The whole engine in the shape of Llama-3.1-8B with random weights: 131,072 tokens through a budget of 16,384, then a
// decode. Over the C interface, as the product runs it.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "device/device-memory.h"
#include "device/error.h"
#include "engine/locret-cuda.h"

namespace locret::bench {
namespace {

constexpr int promptTokens = 131'072;
constexpr int earlyTokens = 32'768;
/** Passes around these places are what their speed is told by. */
constexpr int windowTokens = 12'288;
constexpr int decodedTokens = 256;

struct Variant {
  const char* name;
  int weightFormat;
  int cacheFormat;
  int chunk;
};

LocretConfig configOf(const Variant& variant) {
  LocretConfig config{};
  config.layers = 32;
  config.hidden = 4096;
  config.heads = 32;
  config.kvHeads = 8;
  config.headDim = 128;
  config.feedForward = 14'336;
  config.vocabulary = 128'256;
  config.rotaryDim = 128;
  config.normEpsilon = 1e-5f;
  config.headWidth = 1024;
  config.policy = LOCRET_POLICY_LOCRET;
  config.weightFormat = variant.weightFormat;
  config.cacheFormat = variant.cacheFormat;
  config.budget = 16'384;
  config.chunk = variant.chunk;
  config.stabilizers = 2500;
  config.capacity = config.budget + std::max(variant.chunk, 4096);
  return config;
}

void expectOk(LocretStatus status) {
  if (status != LOCRET_OK) throw Error(locretErrorCode(), locretErrorText());
}

std::uint32_t hashOf(std::uint32_t index) {
  std::uint32_t hash = index * 2654435761u;
  hash ^= hash >> 15;
  hash *= 2246822519u;
  return hash ^ hash >> 13;
}

/** An engine with random weights, closed at its end. */
class RandomEngine {
 public:
  explicit RandomEngine(const LocretConfig& config) : config_(config), bytes_(LOCRET_LARGEST_PIECE) {
    const int pairs = config.rotaryDim / 2;
    std::vector<float> cosine;
    std::vector<float> sine;
    for (int slot = 0; slot < config.capacity; ++slot) {
      for (int pair = 0; pair < pairs; ++pair) {
        const double angle = slot * std::pow(500'000.0, -2.0 * pair / config.rotaryDim);
        cosine.push_back(static_cast<float>(std::cos(angle)));
        sine.push_back(static_cast<float>(std::sin(angle)));
      }
    }
    expectOk(locretOpen(&config, cosine.data(), sine.data(), 0, &engine_));
    try {
      load();
    } catch (...) {
      locretClose(engine_);
      throw;
    }
  }
  ~RandomEngine() { locretClose(engine_); }
  RandomEngine(const RandomEngine&) = delete;
  RandomEngine& operator=(const RandomEngine&) = delete;

  LocretEngine* get() const { return engine_; }

 private:
  void load() {
    const int projected = (config_.heads + 2 * config_.kvHeads) * config_.headDim;
    matrix(LOCRET_EMBEDDING, 0, config_.vocabulary, config_.hidden);
    matrix(LOCRET_LANGUAGE_HEAD, 0, config_.vocabulary, config_.hidden);
    ones(LOCRET_FINAL_NORM, 0);
    for (int layer = 0; layer < config_.layers; ++layer) {
      ones(LOCRET_NORM_BEFORE_ATTENTION, layer);
      ones(LOCRET_NORM_BEFORE_FEED_FORWARD, layer);
      matrix(LOCRET_QUERY_KEY_VALUE, layer, projected, config_.hidden);
      matrix(LOCRET_ATTENTION_OUTPUT, layer, config_.hidden, config_.heads * config_.headDim);
      matrix(LOCRET_GATE_UP, layer, 2 * config_.feedForward, config_.hidden);
      matrix(LOCRET_DOWN, layer, config_.hidden, config_.feedForward);
      matrix(LOCRET_HEAD_FIRST, layer, config_.headWidth, projected);
      matrix(LOCRET_HEAD_SECOND, layer, config_.kvHeads, config_.headWidth);
    }
    expectOk(locretReady(engine_));
  }

  /** bfloat16 numbers of deviation 1 / sqrt(columns), the same for every matrix of a width. */
  void matrix(LocretTensor tensor, int layer, int rows, int columns) {
    fill(columns);
    const auto rowBytes = static_cast<std::uint64_t>(columns) * sizeof(std::uint16_t);
    const int most = static_cast<int>(bytes_.size() / rowBytes);
    for (int first = 0; first < rows; first += most) {
      const int count = std::min(most, rows - first);
      send({.tensor = tensor,
            .layer = layer,
            .firstRow = first,
            .rows = count,
            .columns = columns,
            .format = LOCRET_BFLOAT16,
            .values = bytes_.data(),
            .bytes = static_cast<std::uint64_t>(count) * rowBytes});
    }
  }

  void ones(LocretTensor tensor, int layer) {
    const std::vector<float> values(static_cast<std::size_t>(config_.hidden), 1.0f);
    send({.tensor = tensor,
          .layer = layer,
          .firstRow = 0,
          .rows = config_.hidden,
          .columns = 1,
          .format = LOCRET_FLOAT32,
          .values = values.data(),
          .bytes = values.size() * sizeof(float)});
  }

  void send(const LocretPiece& piece) { expectOk(locretLoad(engine_, &piece)); }

  void fill(int columns) {
    if (columns == filledColumns_) return;
    filledColumns_ = columns;
    // Uniform in -1..1 has a deviation of 1 / sqrt(3).
    const float scale = std::sqrt(3.0f / static_cast<float>(columns));
    for (std::size_t index = 0; index < bytes_.size() / sizeof(std::uint16_t); ++index) {
      const std::uint32_t hash = hashOf(static_cast<std::uint32_t>(index));
      const float number = (static_cast<float>(hash >> 8) * 0x1p-23f - 1.0f) * scale;
      std::uint32_t bits = 0;
      std::memcpy(&bits, &number, sizeof bits);
      const auto upper = static_cast<std::uint16_t>(bits >> 16);
      std::memcpy(bytes_.data() + index * sizeof upper, &upper, sizeof upper);
    }
  }

  LocretConfig config_;
  LocretEngine* engine_ = nullptr;
  std::vector<unsigned char> bytes_;
  int filledColumns_ = 0;
};

/** Weights that every token passes through, without embedding and language head. */
double layerWeights(const LocretConfig& config) {
  const double projected = (config.heads + 2.0 * config.kvHeads) * config.headDim;
  const double backbone = config.hidden * projected + 1.0 * config.heads * config.headDim * config.hidden +
                          3.0 * config.feedForward * config.hidden;
  return config.layers * (backbone + config.headWidth * (projected + config.kvHeads));
}

/** Multiplications and additions of a pass behind a full budget. */
double passFlops(const LocretConfig& config, int tokens) {
  const double pairs = 1.0 * tokens * config.budget + 0.5 * tokens * (tokens + 1.0);
  return 2.0 * layerWeights(config) * tokens + 4.0 * config.layers * config.heads * config.headDim * pairs;
}

struct ReadTimes {
  std::vector<double> early;
  std::vector<double> late;
  std::vector<double> scoringAndEviction;
};

/** Reads the prompt; times are of whole passes, in milliseconds. */
ReadTimes readPrompt(LocretEngine* engine, const LocretConfig& config) {
  ReadTimes read;
  std::vector<float> logits(static_cast<std::size_t>(config.vocabulary));
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(config.chunk));
  for (int begin = 0; begin < promptTokens; begin += config.chunk) {
    const int count = std::min(config.chunk, promptTokens - begin);
    for (int i = 0; i < count; ++i) {
      const std::uint32_t hash = hashOf(static_cast<std::uint32_t>(begin + i));
      tokens[static_cast<std::size_t>(i)] =
          static_cast<std::int32_t>(hash % static_cast<std::uint32_t>(config.vocabulary));
    }
    const bool last = begin + count == promptTokens;
    const LocretPass pass{.tokens = tokens.data(),
                          .count = count,
                          .firstTokenIndex = begin,
                          .eviction = last ? LOCRET_EVICT_FINAL : LOCRET_EVICT_BETWEEN_CHUNKS,
                          .logits = last ? LOCRET_LOGITS_LAST : LOCRET_LOGITS_NONE,
                          .logitRows = last ? logits.data() : nullptr,
                          .observeFrom = count,
                          .bonuses = nullptr,
                          .decision = nullptr};
    LocretPassTimes times{};
    expectOk(locretPass(engine, &pass, &times));
    // A shorter last pass is no measure.
    if (count < config.chunk) continue;
    const double whole = times.modelMilliseconds + times.evictionMilliseconds;
    const int end = begin + count;
    if (end > earlyTokens - windowTokens && end <= earlyTokens) read.early.push_back(whole);
    if (end <= promptTokens - windowTokens) continue;
    read.late.push_back(whole);
    read.scoringAndEviction.push_back(times.scoringMilliseconds + times.evictionMilliseconds);
  }
  return read;
}

/** Times of decode steps with the choice of the likeliest token, as the host sees them. */
std::vector<double> decode(LocretEngine* engine) {
  std::vector<double> milliseconds;
  for (int step = 0; step < decodedTokens; ++step) {
    const auto begin = std::chrono::steady_clock::now();
    std::int32_t token = 0;
    expectOk(locretLikeliest(engine, &token));
    expectOk(locretStep(engine, token, 0));
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    // The first steps load kernels and record the graph.
    if (step >= 8) milliseconds.push_back(taken.count());
  }
  return milliseconds;
}

LocretPlan planOf(const LocretConfig& config) {
  LocretPlan plan{};
  expectOk(locretPlan(&config, &plan));
  return plan;
}

/** What a decode step reads at least: all weights but the embedding, of which one row is read, and `budget` units. */
double stepBytes(const LocretConfig& config) {
  LocretConfig tied = config;
  tied.tiedEmbeddings = 1;
  const LocretPlan plan = planOf(config);
  const double cache = static_cast<double>(plan.cacheBytes) * config.budget / config.capacity;
  // Without a language head of its own a model takes as much less as the embedding takes.
  return static_cast<double>(planOf(tied).weightBytes + plan.headBytes) + cache;
}

void measureVariant(Bench& bench, const Variant& variant) {
  const LocretConfig config = configOf(variant);
  resetAllocationPeak();
  const std::size_t before = allocationCounters().bytes;
  const RandomEngine engine(config);
  const std::string name = std::string(variant.name) + ", B " + std::to_string(variant.chunk) + ": ";
  const ReadTimes read = readPrompt(engine.get(), config);
  const Work pass{.bytes = 0, .flops = passFlops(config, config.chunk), .tokens = 1.0 * config.chunk};
  bench.add(name + "a pass at 32K", pass, read.early);
  bench.add(name + "a pass at 128K", pass, read.late);
  bench.add(name + "scoring and eviction in it", {}, read.scoringAndEviction);
  const std::vector<double> steps = decode(engine.get());
  const std::size_t peak = allocationCounters().peakBytes - before;
  bench.add(name + "a decode step", {.bytes = stepBytes(config), .flops = 0, .tokens = 1}, steps, peak);
}

const Registration llama{"engine/llama-3.1-8b", [](Bench& bench) {
  for (const Variant& variant : {Variant{"bf16, cache bf16", LOCRET_BFLOAT16, LOCRET_BFLOAT16, 1024},
                                 Variant{"bf16, cache bf16", LOCRET_BFLOAT16, LOCRET_BFLOAT16, 3072},
                                 Variant{"int8, cache int8", LOCRET_INT8, LOCRET_INT8, 1024},
                                 Variant{"int4, cache int8", LOCRET_INT4, LOCRET_INT8, 1024},
                                 Variant{"int4, cache int8", LOCRET_INT4, LOCRET_INT8, 3072}}) {
    measureVariant(bench, variant);
  }
}};

}  // namespace
}  // namespace locret::bench
