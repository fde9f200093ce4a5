#include "engine/layer-pass.h"

#include <cmath>

#include "attention/append-units.h"
#include "attention/attend-chunk.h"
#include "attention/attend-decode.h"
#include "attention/attention-mass.h"
#include "attention/rotate-keys.h"
#include "eviction/score-units.h"
#include "layers/embed.h"
#include "layers/gate.h"
#include "layers/normalize-heads.h"
#include "layers/normalize.h"
#include "products/cublaslt.h"
#include "products/product-choice.h"
#include "products/product.h"

namespace locret {

ProjectedTokens LayerPass::projected(std::int32_t tokens) const {
  const ModelSizes& model = sizes_.model;
  return {.values = memory_.work.projected,
          .format = sizes_.formats.activation,
          .tokens = tokens,
          .heads = model.heads,
          .kvHeads = model.kvHeads,
          .headDim = model.headDim};
}

float LayerPass::attentionScale() const {
  return 1.0f / std::sqrt(static_cast<float>(sizes_.model.headDim));
}

void LayerPass::product(const void* input, const PlacedMatrix& weight, const float* bias, void* output,
                        NumberFormat outputFormat, std::int32_t tokens, cudaStream_t stream) const {
  multiply({.input = input,
            .activation = sizes_.formats.activation,
            .weight = weight.view(),
            .bias = bias,
            .output = output,
            .outputFormat = outputFormat,
            .tokens = tokens},
           stream);
}

void LayerPass::normalizeInto(void* output, const float* weight, bool adds, std::int32_t tokens,
                              cudaStream_t stream) const {
  normalize({.hidden = memory_.work.hidden,
             .addition = adds ? memory_.work.addition : nullptr,
             .additionFormat = NumberFormat::float32,
             .weight = weight,
             .epsilon = sizes_.model.normEpsilon,
             .output = output,
             .outputFormat = sizes_.formats.activation,
             .tokens = tokens,
             .width = sizes_.model.hidden},
            stream);
}

void LayerPass::embedTokens(const std::int32_t* tokens, std::int32_t count, cudaStream_t stream) const {
  embed({.tokenIds = tokens,
         .table = memory_.weights.embedding.view(),
         .hidden = memory_.work.hidden,
         .tokens = count},
        stream);
}

void LayerPass::score(std::int32_t layer, std::int32_t tokens, bool addsBonuses, cudaStream_t stream) const {
  if (!sizes_.model.hasHeads()) return;
  const LayerWeights& weights = memory_.weights.layers[static_cast<std::size_t>(layer)];
  scoreUnits({.tokens = projected(tokens),
              .hidden = memory_.work.normalized,
              .hiddenWidth = sizes_.model.hidden,
              .input = sizes_.model.headInput,
              .firstLayer = weights.headFirst.view(),
              .secondLayer = weights.headSecond.view(),
              .cache = memory_.cache.layer(layer),
              .length = &memory_.work.state->length,
              .bonuses = addsBonuses ? memory_.work.bonuses : nullptr,
              .scratch = memory_.work.scoreScratch},
             stream);
}

void LayerPass::beginAttention(std::int32_t layer, std::int32_t tokens, const PassOptions& options, PassTimer* timer,
                               bool calibrates, cudaStream_t stream) const {
  const ModelSizes& model = sizes_.model;
  const Workspace& work = memory_.work;
  const LayerWeights& weights = memory_.weights.layers[static_cast<std::size_t>(layer)];
  const LayerCacheView& cache = memory_.cache.layer(layer);
  normalizeInto(work.normalized, weights.beforeAttention, layer > 0, tokens, stream);
  product(work.normalized, weights.queryKeyValue, weights.queryKeyValueBias, work.projected,
          sizes_.formats.activation, tokens, stream);
  const ProjectedTokens projections = projected(tokens);
  if (timer != nullptr) timer->beginScoring(layer, stream);
  score(layer, tokens, options.addsBonuses, stream);
  if (timer != nullptr) timer->endScoring(layer, stream);
  if (model.queryKeyNorm) {
    normalizeHeads({.tokens = projections,
                    .queryWeight = weights.queryNorm,
                    .keyWeight = weights.keyNorm,
                    .epsilon = model.normEpsilon},
                   stream);
  }
  if (calibrates) calibrateKeys({.tokens = projections, .cache = cache, .rotaryDim = model.rotaryDim}, stream);
  appendUnits({.tokens = projections,
               .cache = cache,
               .length = &work.state->length,
               .firstTokenIndex = &work.state->firstTokenIndex},
              stream);
}

void LayerPass::observe(std::int32_t layer, std::int32_t tokens, const PassOptions& options,
                        cudaStream_t stream) const {
  if (options.observeFrom >= tokens) return;
  const Workspace& work = memory_.work;
  const std::size_t units =
      static_cast<std::size_t>(sizes_.model.kvHeads) * static_cast<std::size_t>(sizes_.cache.capacity);
  attentionMass({.tokens = projected(tokens),
                 .cache = memory_.cache.layer(layer),
                 .rope = memory_.rope(),
                 .length = &work.state->length,
                 .firstObserved = options.observeFrom,
                 .window = sizes_.model.window,
                 .scale = attentionScale(),
                 .logSums = options.limitedReach ? nullptr : work.logSums,
                 .sums = work.attentionSums + static_cast<std::size_t>(layer) * units,
                 .reach = options.limitedReach ? &work.state->reach : nullptr,
                 .scratch = work.massScratch},
                stream);
}

void LayerPass::endLayer(std::int32_t layer, std::int32_t tokens, cudaStream_t stream) const {
  const Workspace& work = memory_.work;
  const LayerWeights& weights = memory_.weights.layers[static_cast<std::size_t>(layer)];
  const NumberFormat activation = sizes_.formats.activation;
  // In float32: rounding what is added to the residual stream would cost more accuracy than its bytes cost time.
  product(work.attended, weights.attentionOutput, weights.attentionOutputBias, work.addition, NumberFormat::float32,
          tokens, stream);
  normalizeInto(work.normalized, weights.beforeFeedForward, true, tokens, stream);
  product(work.normalized, weights.gateUp, weights.gateUpBias, work.gateUp, activation, tokens, stream);
  gate({.input = work.gateUp,
        .format = activation,
        .output = work.gated,
        .tokens = tokens,
        .feedForward = sizes_.model.feedForward},
       stream);
  product(work.gated, weights.down, weights.downBias, work.addition, NumberFormat::float32, tokens, stream);
}

void LayerPass::chooseProducts(cudaStream_t stream) const {
  // Each choice is timed: without the library there is nothing to choose.
  if (CublasLt::find() == nullptr) return;
  const Workspace& work = memory_.work;
  const LayerWeights& weights = memory_.weights.layers.front();
  const NumberFormat activation = sizes_.formats.activation;
  const auto choose = [&](void* input, const PlacedMatrix& weight, const float* bias, void* output,
                          NumberFormat outputFormat) {
    chooseProduct({.input = input,
                   .activation = activation,
                   .weight = weight.view(),
                   .bias = bias,
                   .output = output,
                   .outputFormat = outputFormat,
                   .tokens = sizes_.cache.chunk},
                  input, stream);
  };
  choose(work.normalized, weights.queryKeyValue, weights.queryKeyValueBias, work.projected, activation);
  if (sizes_.model.hasHeads()) {
    void* input = sizes_.model.headInput == HeadInput::hidden ? work.normalized : work.projected;
    choose(input, weights.headFirst, nullptr, work.scoreScratch, activation);
  }
  choose(work.attended, weights.attentionOutput, weights.attentionOutputBias, work.addition, NumberFormat::float32);
  choose(work.normalized, weights.gateUp, weights.gateUpBias, work.gateUp, activation);
  choose(work.gated, weights.down, weights.downBias, work.addition, NumberFormat::float32);
}

void LayerPass::stageKeys(std::int32_t layer, std::int32_t count, cudaStream_t stream) const {
  rotateKeys({.cache = memory_.cache.layer(layer),
              .rope = memory_.rope(),
              .staging = memory_.staging.keys,
              .valueStaging = memory_.staging.values,
              .format = sizes_.formats.activation,
              .stagingCapacity = sizes_.cache.capacity,
              .count = count},
             stream);
}

void LayerPass::runChunk(std::int32_t tokens, std::int32_t retained, const PassOptions& options,
                         PassTimer& timer, const AfterAppend& afterAppend, cudaStream_t stream) const {
  const Workspace& work = memory_.work;
  embedTokens(work.tokens, tokens, stream);
  for (std::int32_t layer = 0; layer < sizes_.model.layers; ++layer) {
    beginAttention(layer, tokens, options, &timer, retained == 0, stream);
    stageKeys(layer, retained + tokens, stream);
    afterAppend(layer);
    const bool staged = memory_.staging.values != nullptr;
    attendChunk({.tokens = projected(tokens),
                 .rope = memory_.rope(),
                 .keys = memory_.staging.keys,
                 .values = staged ? memory_.staging.values : memory_.cache.layer(layer).values,
                 .format = sizes_.formats.activation,
                 .stagingCapacity = sizes_.cache.capacity,
                 .retained = retained,
                 .window = sizes_.model.window,
                 .scale = attentionScale(),
                 .output = work.attended,
                 .logSums = options.observeFrom < tokens ? work.logSums : nullptr,
                 .valueCapacity = staged ? 0 : sizes_.cache.capacity,
                 .scratch = work.chunkScratch},
                stream);
    observe(layer, tokens, options, stream);
    endLayer(layer, tokens, stream);
  }
}

void LayerPass::runStep(const PassOptions& options, cudaStream_t stream) const {
  const Workspace& work = memory_.work;
  embedTokens(&work.state->token, 1, stream);
  for (std::int32_t layer = 0; layer < sizes_.model.layers; ++layer) {
    beginAttention(layer, 1, options, nullptr, false, stream);
    attendDecode({.tokens = projected(1),
                  .cache = memory_.cache.layer(layer),
                  .rope = memory_.rope(),
                  .length = &work.state->length,
                  .window = sizes_.model.window,
                  .scale = attentionScale(),
                  .output = work.attended,
                  .scratch = work.decodeScratch,
                  .logSums = nullptr},
                 stream);
    observe(layer, 1, options, stream);
    endLayer(layer, 1, stream);
  }
}

void LayerPass::runLanguageHead(std::int32_t firstToken, std::int32_t count, cudaStream_t stream) const {
  const Workspace& work = memory_.work;
  const std::size_t before = static_cast<std::size_t>(firstToken) * static_cast<std::size_t>(sizes_.model.hidden);
  normalize({.hidden = work.hidden + before,
             .addition = work.addition + before,
             .additionFormat = NumberFormat::float32,
             .weight = memory_.weights.finalNorm,
             .epsilon = sizes_.model.normEpsilon,
             .output = work.normalized,
             .outputFormat = sizes_.formats.activation,
             .tokens = count,
             .width = sizes_.model.hidden},
            stream);
  product(work.normalized, memory_.weights.languageHead, nullptr, memory_.logits.values, NumberFormat::float32, count,
          stream);
}

}  // namespace locret
