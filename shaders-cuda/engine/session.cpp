#include "engine/session.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "device/error.h"
#include "layers/choose-highest.h"

namespace locret {
namespace {

std::int32_t madeCurrent(std::int32_t device) {
  checkCuda(cudaSetDevice(device), "Choosing device " + std::to_string(device));
  return device;
}

[[noreturn]] void noDistribution(const std::string& highest) {
  throw Error("model-corrupt", "The model's logits are no distribution: the highest is " + highest +
                                   ". Check the model's weights, or try a higher precision (float32).");
}

}  // namespace

Session::Session(const EngineSizes& sizes, const float* cosine, const float* sine, std::int32_t device)
    : sizes_(sizes),
      device_(madeCurrent(device)),
      memory_(sizes_),
      loader_(std::make_unique<WeightLoader>(sizes_, memory_.weights, stream_)),
      layers_(sizes_, memory_),
      eviction_(sizes_, memory_, layers_),
      attention_(sizes_, memory_),
      timer_(sizes_.model.layers),
      hostState_(sizeof(PassState), "state of a pass"),
      graph_(memory_, layers_, hostState_.as<PassState>(), sizes_.model.vocabulary) {
  const std::size_t angles = static_cast<std::size_t>(sizes_.cache.capacity) *
                             static_cast<std::size_t>(sizes_.model.rotaryDim / 2) * sizeof(float);
  checkCuda(cudaMemcpyAsync(memory_.staging.cosine, cosine, angles, cudaMemcpyHostToDevice, stream_),
            "Copying the table of rotations");
  checkCuda(cudaMemcpyAsync(memory_.staging.sine, sine, angles, cudaMemcpyHostToDevice, stream_),
            "Copying the table of rotations");
  stream_.synchronize();
}

void Session::makeCurrent() const { madeCurrent(device_); }

void Session::load(const TensorPiece& piece) {
  expect(loader_ != nullptr, "All weights were loaded before.");
  loader_->load(piece);
}

void Session::finishLoading() {
  expect(loader_ != nullptr, "All weights were loaded before.");
  loader_->checkComplete();
  loader_.reset();
  layers_.chooseProducts(stream_);
  stream_.synchronize();
}

void Session::expectLoaded() const { expect(loader_ == nullptr, "Weights are still being loaded."); }

void Session::checkRequest(const PassRequest& request) const {
  expectLoaded();
  const CacheSizes& cache = sizes_.cache;
  expect(request.count >= 1 && request.count <= cache.chunk,
         "A pass of " + std::to_string(request.count) + " tokens was asked for; 1 to " + std::to_string(cache.chunk) +
             " are possible.");
  expect(request.count <= cache.capacity - state_.length,
         "The cache holds " + std::to_string(cache.capacity) + " units per KV head; " +
             std::to_string(static_cast<std::int64_t>(state_.length) + request.count) +
             " would be needed. Read fewer tokens at once, or plan a larger capacity.");
  expect(request.firstTokenIndex >= state_.nextTokenIndex &&
             request.firstTokenIndex <= std::numeric_limits<std::int32_t>::max() - request.count,
         "The first token index is " + std::to_string(request.firstTokenIndex) +
             ", which is not behind the last one, " + std::to_string(state_.nextTokenIndex - 1) +
             ". Give ascending token indices.");
  expect(request.observeFrom >= 0 && request.observeFrom <= request.count,
         "Attention is observed from a token of the pass, not from " + std::to_string(request.observeFrom) + ".");
  expect(request.bonuses == nullptr || sizes_.model.hasHeads(),
         "Bonuses were given for scores, and there are no retaining heads that score.");
  expect(request.logits == WantedLogits::none || request.logitRows != nullptr, "There is no room for the logits.");
  for (std::int32_t index = 0; index < request.count; ++index) {
    const std::int32_t token = request.tokens[index];
    expect(token >= 0 && token < sizes_.model.vocabulary,
           "Token " + std::to_string(token) + " is not one of the model's " + std::to_string(sizes_.model.vocabulary) +
               ". Use tokens of the tokenizer that belongs to this model.");
  }
}

void Session::setHostState(std::int32_t firstTokenIndex, std::int32_t token) {
  *hostState_.as<PassState>() = {.length = state_.length,
                                 .firstTokenIndex = firstTokenIndex,
                                 .reach = attention_.reach(),
                                 .token = token};
}

bool Session::evicts(const PassRequest& request) const {
  return request.eviction != Eviction::none && state_.length > sizes_.cache.budget;
}

PassTimes Session::pass(const PassRequest& request) {
  checkRequest(request);
  const std::int32_t before = state_.length;
  state_.hasLogits = false;
  timer_.begin(stream_);
  runModel(request);
  runLogits(request);
  timer_.endModel(stream_);
  stream_.synchronize();
  state_.length = before + request.count;
  state_.nextTokenIndex = request.firstTokenIndex + request.count;
  state_.hasLogits = request.logits != WantedLogits::none;
  attention_.count(request.count - request.observeFrom);
  evict(request, before);
  timer_.end(stream_);
  stream_.synchronize();
  return timer_.times();
}

void Session::runModel(const PassRequest& request) {
  const std::int32_t before = state_.length;
  setHostState(request.firstTokenIndex, 0);
  checkCuda(cudaMemcpyAsync(memory_.work.state, hostState_.data(), sizeof(PassState), cudaMemcpyHostToDevice, stream_),
            "Copying the state of a pass");
  checkCuda(cudaMemcpyAsync(memory_.work.tokens, request.tokens,
                            static_cast<std::size_t>(request.count) * sizeof(std::int32_t), cudaMemcpyHostToDevice,
                            stream_),
            "Copying tokens");
  if (request.bonuses != nullptr) {
    checkCuda(cudaMemcpyAsync(memory_.work.bonuses, request.bonuses,
                              static_cast<std::size_t>(request.count) * sizeof(float), cudaMemcpyHostToDevice, stream_),
              "Copying bonuses");
  }
  const std::int32_t units = before + request.count;
  const bool ranks =
      request.decision != nullptr || (request.eviction != Eviction::none && units > sizes_.cache.budget);
  layers_.runChunk(
      request.count, before,
      {.observeFrom = request.observeFrom,
       .limitedReach = attention_.reach() > 0,
       .addsBonuses = request.bonuses != nullptr},
      timer_,
      [&](std::int32_t layer) {
        if (ranks) eviction_.rankStagedLayer(layer, units, stream_);
      },
      stream_);
}

void Session::runLogits(const PassRequest& request) {
  if (request.logits == WantedLogits::none) return;
  const auto rowBytes = static_cast<std::size_t>(sizes_.model.vocabulary) * sizeof(float);
  const std::int32_t first = request.logits == WantedLogits::all ? 0 : request.count - 1;
  auto* target = reinterpret_cast<unsigned char*>(request.logitRows);
  std::int32_t rows = 0;
  for (std::int32_t row = first; row < request.count; row += rows) {
    rows = std::min(memory_.logits.rows, request.count - row);
    layers_.runLanguageHead(row, rows, stream_);
    const std::size_t bytes = static_cast<std::size_t>(rows) * rowBytes;
    checkCuda(cudaMemcpyAsync(target, memory_.logits.values, bytes, cudaMemcpyDeviceToHost, stream_),
              "Copying logits to the host");
    target += bytes;
  }
  // The last row is what generation continues from; it lies where a step leaves its logits.
  if (rows > 1) {
    const float* last =
        memory_.logits.values + static_cast<std::size_t>(rows - 1) * static_cast<std::size_t>(sizes_.model.vocabulary);
    checkCuda(cudaMemcpyAsync(memory_.logits.values, last, rowBytes, cudaMemcpyDeviceToDevice, stream_),
              "Keeping the last logits");
  }
  chooseHighest({.logits = memory_.logits.values,
                 .rows = 1,
                 .vocabulary = sizes_.model.vocabulary,
                 .chosen = memory_.logits.chosen,
                 .scratch = memory_.logits.chooseScratch},
                stream_);
}

template <typename Number>
void Session::copySlots(Number* target, const Number* source, std::int32_t begin, std::int32_t count) const {
  const auto width = static_cast<std::size_t>(count) * sizeof(Number);
  const auto heads = static_cast<std::size_t>(sizes_.model.layers) * static_cast<std::size_t>(sizes_.model.kvHeads);
  if (width == 0) return;
  checkCuda(cudaMemcpy2DAsync(target, width, source + begin,
                              static_cast<std::size_t>(sizes_.cache.capacity) * sizeof(Number), width, heads,
                              cudaMemcpyDeviceToHost, stream_),
            "Copying numbers of cache units");
}

void Session::evict(const PassRequest& request, std::int32_t before) {
  const bool moves = evicts(request);
  const HostDecision* decision = request.decision;
  if (!moves && decision == nullptr) return;
  const std::int32_t length = state_.length;
  const std::int32_t budget = sizes_.cache.budget;
  const auto heads = static_cast<std::size_t>(sizes_.model.layers) * static_cast<std::size_t>(sizes_.model.kvHeads);
  const float* ranks = eviction_.rankAll(length, stream_);
  if (decision != nullptr) {
    copySlots(decision->ranks, ranks, 0, length);
    if (decision->scores != nullptr) copySlots(decision->scores, memory_.cache.scores(), before, length - before);
    copySlots(decision->tokenIndices, memory_.cache.tokenIndices(), 0, length);
  }
  if (!moves) {
    for (std::size_t slot = 0; slot < heads * static_cast<std::size_t>(length); ++slot) {
      decision->kept[slot] = static_cast<std::int32_t>(slot % static_cast<std::size_t>(length));
    }
    return;
  }
  const std::int32_t stabilizers = request.eviction == Eviction::betweenChunks ? sizes_.cache.stabilizers : 0;
  eviction_.select(ranks, length, {.budget = budget, .pinned = sizes_.cache.pinned, .stabilizers = stabilizers},
                   stream_);
  if (decision != nullptr) {
    checkCuda(cudaMemcpyAsync(decision->kept, memory_.work.kept,
                              heads * static_cast<std::size_t>(budget) * sizeof(std::int32_t), cudaMemcpyDeviceToHost,
                              stream_),
              "Copying which units stay");
  }
  attention_.collect(length, stream_);
  eviction_.compact(budget, stream_);
  state_.length = budget;
  state_.evictions += 1;
}

void Session::step(std::int32_t token, bool observes) {
  expectLoaded();
  // A quantized cache is calibrated by the pass that begins it.
  expect(state_.length > 0, "The cache is empty. Read the first token in a pass.");
  expect(state_.length < sizes_.cache.capacity,
         "The cache holds " + std::to_string(sizes_.cache.capacity) + " units per KV head, and all are taken.");
  expect(token >= 0 && token < sizes_.model.vocabulary,
         "Token " + std::to_string(token) + " is not one of the model's " + std::to_string(sizes_.model.vocabulary) +
             ".");
  setHostState(state_.nextTokenIndex, token);
  graph_.launch(observes, attention_.reach() > 0, stream_);
  stream_.synchronize();
  if (observes) attention_.count(1);
  state_.length += 1;
  state_.nextTokenIndex += 1;
  state_.hasLogits = true;
}

void Session::copyLastLogits(float* logits) {
  expect(state_.hasLogits, "There is nothing to continue. Read a token first.");
  checkCuda(cudaMemcpyAsync(logits, memory_.logits.values,
                            static_cast<std::size_t>(sizes_.model.vocabulary) * sizeof(float), cudaMemcpyDeviceToHost,
                            stream_),
            "Copying logits to the host");
  stream_.synchronize();
}

std::int32_t Session::likeliest() {
  expect(state_.hasLogits, "There is nothing to continue. Read a token first.");
  std::int32_t chosen = -1;
  checkCuda(cudaMemcpyAsync(&chosen, memory_.logits.chosen, sizeof chosen, cudaMemcpyDeviceToHost, stream_),
            "Copying the likeliest token");
  stream_.synchronize();
  if (chosen < 0 || chosen >= sizes_.model.vocabulary) noDistribution("not a number");
  float logit = 0;
  checkCuda(cudaMemcpyAsync(&logit, memory_.logits.values + chosen, sizeof logit, cudaMemcpyDeviceToHost, stream_),
            "Copying a logit");
  stream_.synchronize();
  if (!std::isfinite(logit)) noDistribution(std::to_string(logit));
  return chosen;
}

void Session::startObserving(std::int32_t reach) {
  attention_.start(reach, stream_);
  stream_.synchronize();
}

std::int32_t Session::observed(double* mass) {
  attention_.collect(state_.length, stream_);
  return attention_.take(mass, state_.nextTokenIndex);
}

void Session::rewind(const CacheState& mark) {
  expect(mark.evictions == state_.evictions && mark.length >= 0 && mark.length <= state_.length,
         "The cache cannot return to " + std::to_string(mark.length) + " units: units left it since (" +
             std::to_string(state_.evictions - mark.evictions) + " evictions). Set a mark behind the last eviction.");
  if (mark.length < state_.length) attention_.forget(stream_);
  state_.length = mark.length;
  state_.nextTokenIndex = mark.nextTokenIndex;
  state_.hasLogits = false;
}

void Session::clear() {
  attention_.forget(stream_);
  state_ = {.evictions = state_.evictions + 1};
}

std::int32_t Session::forget(const std::vector<TokenRange>& ranges) {
  attention_.collect(state_.length, stream_);
  const std::int32_t dropped = eviction_.forget(state_.length, ranges, stream_);
  stream_.synchronize();
  state_.length -= dropped;
  if (dropped > 0) state_.evictions += 1;
  state_.hasLogits = false;
  return dropped;
}

void Session::checkLayer(std::int32_t layer, std::int32_t length) const {
  expect(layer >= 0 && layer < sizes_.model.layers && length >= 0 && length <= sizes_.cache.capacity,
         "Layer " + std::to_string(layer) + " with " + std::to_string(length) + " units; the cache has " +
             std::to_string(sizes_.model.layers) + " layers of " + std::to_string(sizes_.cache.capacity) + ".");
}

void Session::exportLayer(std::int32_t layer, const HostLayer& target) {
  checkLayer(layer, state_.length);
  memory_.cache.exportLayer(layer, state_.length, target, stream_);
  stream_.synchronize();
}

void Session::importLayer(std::int32_t layer, std::int32_t length, const HostLayer& source) {
  checkLayer(layer, length);
  if (state_.length > 0) clear();
  state_.hasLogits = false;
  memory_.cache.importLayer(layer, length, source, stream_);
  stream_.synchronize();
}

void Session::resume(std::int32_t length, std::int32_t nextTokenIndex) {
  checkLayer(0, length);
  // Marks from before are of other units.
  state_.evictions += 1;
  state_.length = length;
  state_.nextTokenIndex = nextTokenIndex;
}

void Session::copyTokenIndices(std::int32_t* tokenIndices) {
  copySlots(tokenIndices, memory_.cache.tokenIndices(), 0, state_.length);
  stream_.synchronize();
}

}  // namespace locret
