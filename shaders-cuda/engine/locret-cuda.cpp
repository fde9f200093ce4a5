#include "engine/locret-cuda.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "device/device-memory.h"
#include "device/error.h"
#include "engine/devices.h"
#include "engine/memory-plan.h"
#include "engine/session.h"

struct LocretEngine {
  // Outlives the session, whose products may use what is freed with it.
  locret::DeviceUse use;
  std::unique_ptr<locret::Session> session;
};

namespace {

thread_local std::string failureCode;
thread_local std::string failureText;

/** Runs what may throw, and keeps why it did. */
template <typename Task>
LocretStatus guarded(Task task) {
  try {
    task();
    return LOCRET_OK;
  } catch (const locret::Error& error) {
    failureCode = error.code();
    failureText = error.what();
  } catch (const std::bad_alloc&) {
    failureCode = "out-of-memory";
    failureText = "This process has no memory left.";
  } catch (const std::exception& error) {
    failureCode = "engine-failed";
    failureText = error.what();
  }
  return LOCRET_FAILED;
}

template <typename Task>
LocretStatus withSession(LocretEngine* engine, Task task) {
  return guarded([&] {
    locret::expect(engine != nullptr, "There is no engine.");
    engine->session->makeCurrent();
    task(*engine->session);
  });
}

template <std::size_t Size>
void copyText(char (&target)[Size], const std::string& text) {
  const std::size_t length = std::min(text.size(), Size - 1);
  std::memcpy(target, text.data(), length);
  target[length] = '\0';
}

/** An enumeration's value from a number of the interface. */
template <typename Value>
Value checkedValue(std::int32_t number, std::int32_t last, const char* what) {
  locret::expect(number >= 0 && number <= last,
                 std::string("There is no ") + what + " " + std::to_string(number) + ".");
  return static_cast<Value>(number);
}

locret::NumberFormat formatFrom(std::int32_t number) {
  return checkedValue<locret::NumberFormat>(number, LOCRET_INT4, "number format");
}

locret::EngineSizes sizesOf(const LocretConfig& config) {
  const locret::ModelSizes model{.layers = config.layers,
                                 .hidden = config.hidden,
                                 .heads = config.heads,
                                 .kvHeads = config.kvHeads,
                                 .headDim = config.headDim,
                                 .feedForward = config.feedForward,
                                 .vocabulary = config.vocabulary,
                                 .rotaryDim = config.rotaryDim,
                                 .window = config.slidingWindow,
                                 .normEpsilon = config.normEpsilon,
                                 .tiedEmbeddings = config.tiedEmbeddings != 0,
                                 .queryKeyValueBias = config.queryKeyValueBias != 0,
                                 .outputBias = config.outputBias != 0,
                                 .feedForwardBias = config.feedForwardBias != 0,
                                 .queryKeyNorm = config.queryKeyNorm != 0,
                                 .headWidth = config.headWidth,
                                 .headInput = checkedValue<locret::HeadInput>(
                                     config.headInput, LOCRET_HEAD_INPUT_HIDDEN, "input of retaining heads")};
  const locret::CacheSizes cache{.budget = config.budget == 0 ? locret::CacheSizes::unlimited : config.budget,
                                 .chunk = config.chunk,
                                 .stabilizers = config.stabilizers,
                                 .pinned = config.pinned,
                                 .capacity = config.capacity};
  return {.model = model,
          .cache = cache,
          .formats = locret::formatsFor(formatFrom(config.weightFormat), formatFrom(config.cacheFormat)),
          .policy = checkedValue<locret::Policy>(config.policy, LOCRET_POLICY_SINK_RECENT, "policy")};
}

locret::HostLayer hostLayer(const LocretLayer& layer) { return {layer.units, layer.scores, layer.tokenIndices}; }

}  // namespace

const char* locretErrorCode(void) { return failureCode.c_str(); }

const char* locretErrorText(void) { return failureText.c_str(); }

LocretStatus locretDevices(LocretDevice* devices, int32_t capacity, int32_t* count, LocretDriver* driver) {
  return guarded([&] {
    const locret::DeviceList list = locret::listDevices();
    driver->driverVersion = list.driver.driverVersion;
    driver->runtimeVersion = list.driver.runtimeVersion;
    copyText(driver->problem, list.driver.problem);
    *count = static_cast<int32_t>(list.devices.size());
    for (int32_t index = 0; index < std::min(capacity, *count); ++index) {
      const locret::DeviceFacts& facts = list.devices[static_cast<std::size_t>(index)];
      LocretDevice& device = devices[index];
      copyText(device.name, facts.name);
      device.computeMajor = facts.computeMajor;
      device.computeMinor = facts.computeMinor;
      device.multiprocessors = facts.multiprocessors;
      device.supported = facts.supported ? 1 : 0;
      device.totalBytes = facts.totalBytes;
      device.freeBytes = facts.freeBytes;
    }
  });
}

LocretStatus locretPlan(const LocretConfig* config, LocretPlan* plan) {
  return guarded([&] {
    const locret::EngineSizes sizes = sizesOf(*config);
    const locret::MemoryPlan planned = locret::planMemory(sizes);
    const locret::HostLayerBytes layer = locret::RetainedCache::hostBytes(sizes);
    *plan = {.weightBytes = planned.weights,
             .headBytes = planned.heads,
             .cacheBytes = planned.cache,
             .stagingBytes = planned.staging,
             .workspaceBytes = planned.workspace,
             .logitBytes = planned.logits,
             .loadingBytes = planned.loading,
             .unitBytes = layer.unit,
             .layerTableBytes = layer.table,
             .totalBytes = planned.total()};
  });
}

LocretStatus locretOpen(const LocretConfig* config, const float* cosine, const float* sine, int32_t device,
                        LocretEngine** engine) {
  return guarded([&] {
    auto opened = std::make_unique<LocretEngine>();
    opened->session = std::make_unique<locret::Session>(sizesOf(*config), cosine, sine, device);
    *engine = opened.release();
  });
}

void locretClose(LocretEngine* engine) {
  // What is freed at the end belongs to the device that is current then.
  if (engine != nullptr) withSession(engine, [](const locret::Session&) {});
  delete engine;
}

LocretStatus locretLoad(LocretEngine* engine, const LocretPiece* piece) {
  return withSession(engine, [&](locret::Session& session) {
    session.load({.tensor = checkedValue<locret::ModelTensor>(piece->tensor, LOCRET_HEAD_SECOND, "tensor"),
                  .layer = piece->layer,
                  .firstRow = piece->firstRow,
                  .rows = piece->rows,
                  .columns = piece->columns,
                  .format = formatFrom(piece->format),
                  .values = piece->values,
                  .bytes = static_cast<std::size_t>(piece->bytes)});
  });
}

LocretStatus locretReady(LocretEngine* engine) {
  return withSession(engine, [](locret::Session& session) { session.finishLoading(); });
}

LocretStatus locretState(LocretEngine* engine, LocretState* state) {
  return withSession(engine, [&](const locret::Session& session) {
    const locret::CacheState& current = session.state();
    *state = {current.length, current.nextTokenIndex, current.evictions, current.hasLogits ? 1 : 0};
  });
}

LocretStatus locretPass(LocretEngine* engine, const LocretPass* pass, LocretPassTimes* times) {
  return withSession(engine, [&](locret::Session& session) {
    locret::HostDecision decision{};
    if (pass->decision != nullptr) {
      decision = {pass->decision->ranks, pass->decision->scores, pass->decision->tokenIndices, pass->decision->kept};
    }
    const locret::PassTimes taken =
        session.pass({.tokens = pass->tokens,
                      .count = pass->count,
                      .firstTokenIndex = pass->firstTokenIndex,
                      .eviction = checkedValue<locret::Eviction>(pass->eviction, LOCRET_EVICT_FINAL, "eviction"),
                      .logits = checkedValue<locret::WantedLogits>(pass->logits, LOCRET_LOGITS_ALL, "choice of logits"),
                      .logitRows = pass->logitRows,
                      .observeFrom = pass->observeFrom,
                      .bonuses = pass->bonuses,
                      .decision = pass->decision == nullptr ? nullptr : &decision});
    *times = {taken.model, taken.scoring, taken.eviction};
  });
}

LocretStatus locretStep(LocretEngine* engine, int32_t token, int32_t observe) {
  return withSession(engine, [&](locret::Session& session) { session.step(token, observe != 0); });
}

LocretStatus locretLastLogits(LocretEngine* engine, float* logits) {
  return withSession(engine, [&](locret::Session& session) { session.copyLastLogits(logits); });
}

LocretStatus locretLikeliest(LocretEngine* engine, int32_t* token) {
  return withSession(engine, [&](locret::Session& session) { *token = session.likeliest(); });
}

LocretStatus locretStartObserving(LocretEngine* engine, int32_t reach) {
  return withSession(engine, [&](locret::Session& session) { session.startObserving(reach); });
}

LocretStatus locretObserved(LocretEngine* engine, double* mass, int32_t* queries) {
  return withSession(engine, [&](locret::Session& session) { *queries = session.observed(mass); });
}

LocretStatus locretRewind(LocretEngine* engine, const LocretState* mark) {
  return withSession(engine, [&](locret::Session& session) {
    session.rewind({mark->length, mark->nextTokenIndex, mark->evictions, false});
  });
}

LocretStatus locretClear(LocretEngine* engine) {
  return withSession(engine, [](locret::Session& session) { session.clear(); });
}

LocretStatus locretForget(LocretEngine* engine, const int32_t* ranges, int32_t count, int32_t* dropped) {
  return withSession(engine, [&](locret::Session& session) {
    std::vector<locret::TokenRange> list;
    for (int32_t index = 0; index < count; ++index) list.push_back({ranges[2 * index], ranges[2 * index + 1]});
    *dropped = session.forget(list);
  });
}

LocretStatus locretExport(LocretEngine* engine, int32_t layer, const LocretLayer* target) {
  return withSession(engine, [&](locret::Session& session) { session.exportLayer(layer, hostLayer(*target)); });
}

LocretStatus locretImport(LocretEngine* engine, int32_t layer, int32_t length, const LocretLayer* source) {
  return withSession(engine, [&](locret::Session& session) { session.importLayer(layer, length, hostLayer(*source)); });
}

LocretStatus locretResume(LocretEngine* engine, int32_t length, int32_t nextTokenIndex) {
  return withSession(engine, [&](locret::Session& session) { session.resume(length, nextTokenIndex); });
}

LocretStatus locretTokenIndices(LocretEngine* engine, int32_t* tokenIndices) {
  return withSession(engine, [&](locret::Session& session) { session.copyTokenIndices(tokenIndices); });
}

LocretStatus locretMemory(LocretMemory* memory) {
  return guarded([&] {
    const locret::AllocationCounters counters = locret::allocationCounters();
    *memory = {counters.bytes, counters.peakBytes};
  });
}
