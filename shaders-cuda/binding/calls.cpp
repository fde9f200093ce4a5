#include "binding/calls.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/locret-cuda.h"

namespace locret::binding {
namespace {

/** An open engine, as JavaScript holds it. */
struct Handle {
  LocretEngine* engine;
};

/** Throws in JavaScript what a call of the interface failed with: an error with `code` and `message`. */
void expectSuccess(napi_env env, LocretStatus status) {
  if (status == LOCRET_OK) return;
  napi_throw_error(env, locretErrorCode(), locretErrorText());
  throw JavaScriptError();
}

LocretEngine* engineOf(const Arguments& arguments) {
  LocretEngine* engine = static_cast<Handle*>(arguments.external(0))->engine;
  if (engine == nullptr) throw JavaScriptError("the engine is closed");
  return engine;
}

void expectLength(std::size_t length, std::size_t least, const char* name) {
  if (length >= least) return;
  throw JavaScriptError(std::string(name) + " has room for " + std::to_string(length) + " numbers; " +
                        std::to_string(least) + " are needed");
}

LocretConfig configOf(napi_env env, napi_value object) {
  const Fields fields(env, object);
  LocretConfig config{};
#define LOCRET_INTEGER(name) config.name = fields.integer(#name);
#define LOCRET_REAL(name) config.name = static_cast<float>(fields.number(#name));
#define LOCRET_TRUTH(name) config.name = fields.truth(#name) ? 1 : 0;
  LOCRET_CONFIG_FIELDS(LOCRET_INTEGER, LOCRET_REAL, LOCRET_TRUTH)
#undef LOCRET_INTEGER
#undef LOCRET_REAL
#undef LOCRET_TRUTH
  return config;
}

}  // namespace

napi_value devices(const Arguments& arguments) {
  const napi_env env = arguments.env();
  LocretDriver driver{};
  std::vector<LocretDevice> list(64);
  std::int32_t count = 0;
  expectSuccess(env, locretDevices(list.data(), static_cast<std::int32_t>(list.size()), &count, &driver));
  list.resize(std::min(list.size(), static_cast<std::size_t>(count)));
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, list.size(), &array));
  for (std::uint32_t index = 0; index < list.size(); ++index) {
    const LocretDevice& device = list[index];
    const napi_value object = ObjectBuilder(env)
                                  .text("name", device.name)
                                  .number("computeMajor", device.computeMajor)
                                  .number("computeMinor", device.computeMinor)
                                  .number("multiprocessors", device.multiprocessors)
                                  .truth("supported", device.supported != 0)
                                  .number("totalBytes", static_cast<double>(device.totalBytes))
                                  .number("freeBytes", static_cast<double>(device.freeBytes))
                                  .object();
    check(env, napi_set_element(env, array, index, object));
  }
  return ObjectBuilder(env)
      .number("driverVersion", driver.driverVersion)
      .number("runtimeVersion", driver.runtimeVersion)
      .text("problem", driver.problem)
      .value("devices", array)
      .object();
}

napi_value plan(const Arguments& arguments) {
  const napi_env env = arguments.env();
  const LocretConfig config = configOf(env, arguments.at(0));
  LocretPlan planned{};
  expectSuccess(env, locretPlan(&config, &planned));
  return ObjectBuilder(env)
      .number("weightBytes", static_cast<double>(planned.weightBytes))
      .number("headBytes", static_cast<double>(planned.headBytes))
      .number("cacheBytes", static_cast<double>(planned.cacheBytes))
      .number("stagingBytes", static_cast<double>(planned.stagingBytes))
      .number("workspaceBytes", static_cast<double>(planned.workspaceBytes))
      .number("logitBytes", static_cast<double>(planned.logitBytes))
      .number("loadingBytes", static_cast<double>(planned.loadingBytes))
      .number("unitBytes", static_cast<double>(planned.unitBytes))
      .number("layerTableBytes", static_cast<double>(planned.layerTableBytes))
      .number("totalBytes", static_cast<double>(planned.totalBytes))
      .object();
}

namespace {

void finalizeHandle(napi_env, void* data, void*) {
  auto* handle = static_cast<Handle*>(data);
  locretClose(handle->engine);
  delete handle;
}

}  // namespace

napi_value open(const Arguments& arguments) {
  const napi_env env = arguments.env();
  const LocretConfig config = configOf(env, arguments.at(0));
  const std::span<float> cosine = arguments.floats(1);
  const std::span<float> sine = arguments.floats(2);
  const auto slots = static_cast<std::size_t>(std::max(0, config.capacity));
  const std::size_t angles = slots * static_cast<std::size_t>(std::max(0, config.rotaryDim / 2));
  expectLength(cosine.size(), angles, "the table of cosines");
  expectLength(sine.size(), angles, "the table of sines");
  LocretEngine* engine = nullptr;
  expectSuccess(env, locretOpen(&config, cosine.data(), sine.data(), arguments.integer(3), &engine));
  auto* handle = new Handle{engine};
  napi_value external = nullptr;
  const napi_status status = napi_create_external(env, handle, finalizeHandle, nullptr, &external);
  if (status != napi_ok) finalizeHandle(env, handle, nullptr);
  check(env, status);
  return external;
}

napi_value close(const Arguments& arguments) {
  auto* handle = static_cast<Handle*>(arguments.external(0));
  locretClose(handle->engine);
  handle->engine = nullptr;
  return nullptr;
}

napi_value load(const Arguments& arguments) {
  const Fields fields(arguments.env(), arguments.at(1));
  const std::span<unsigned char> values = fields.bytes("values");
  const LocretPiece piece{.tensor = static_cast<LocretTensor>(fields.integer("tensor")),
                          .layer = fields.integer("layer"),
                          .firstRow = fields.integer("firstRow"),
                          .rows = fields.integer("rows"),
                          .columns = fields.integer("columns"),
                          .format = fields.integer("format"),
                          .values = values.data(),
                          .bytes = values.size()};
  expectSuccess(arguments.env(), locretLoad(engineOf(arguments), &piece));
  return nullptr;
}

napi_value ready(const Arguments& arguments) {
  expectSuccess(arguments.env(), locretReady(engineOf(arguments)));
  return nullptr;
}

napi_value state(const Arguments& arguments) {
  LocretState current{};
  expectSuccess(arguments.env(), locretState(engineOf(arguments), &current));
  return ObjectBuilder(arguments.env())
      .number("length", current.length)
      .number("nextTokenIndex", current.nextTokenIndex)
      .number("evictions", current.evictions)
      .truth("hasLogits", current.hasLogits != 0)
      .object();
}

napi_value pass(const Arguments& arguments) {
  const Fields fields(arguments.env(), arguments.at(1));
  const std::span<std::int32_t> tokens = fields.integerSpan("tokens");
  const std::optional<Fields> wanted = fields.fields("decision");
  LocretDecision decision{};
  if (wanted) {
    decision = {.ranks = wanted->floats("ranks"),
                .scores = wanted->floats("scores"),
                .tokenIndices = wanted->integers("tokenIndices"),
                .kept = wanted->integers("kept")};
  }
  const LocretPass request{.tokens = tokens.data(),
                           .count = static_cast<std::int32_t>(tokens.size()),
                           .firstTokenIndex = fields.integer("firstTokenIndex"),
                           .eviction = fields.integer("eviction"),
                           .logits = fields.integer("logits"),
                           .logitRows = fields.floats("logitRows"),
                           .observeFrom = fields.integer("observeFrom"),
                           .bonuses = fields.floats("bonuses"),
                           .decision = wanted ? &decision : nullptr};
  LocretPassTimes times{};
  expectSuccess(arguments.env(), locretPass(engineOf(arguments), &request, &times));
  return ObjectBuilder(arguments.env())
      .number("model", times.modelMilliseconds)
      .number("scoring", times.scoringMilliseconds)
      .number("eviction", times.evictionMilliseconds)
      .object();
}

napi_value step(const Arguments& arguments) {
  expectSuccess(arguments.env(), locretStep(engineOf(arguments), arguments.integer(1), arguments.integer(2)));
  return nullptr;
}

napi_value lastLogits(const Arguments& arguments) {
  expectSuccess(arguments.env(), locretLastLogits(engineOf(arguments), arguments.floats(1).data()));
  return nullptr;
}

napi_value likeliest(const Arguments& arguments) {
  std::int32_t token = 0;
  expectSuccess(arguments.env(), locretLikeliest(engineOf(arguments), &token));
  return numberValue(arguments.env(), token);
}

napi_value startObserving(const Arguments& arguments) {
  expectSuccess(arguments.env(), locretStartObserving(engineOf(arguments), arguments.integer(1)));
  return nullptr;
}

napi_value observed(const Arguments& arguments) {
  std::int32_t queries = 0;
  expectSuccess(arguments.env(), locretObserved(engineOf(arguments), arguments.doubles(1).data(), &queries));
  return numberValue(arguments.env(), queries);
}

napi_value rewind(const Arguments& arguments) {
  const Fields fields(arguments.env(), arguments.at(1));
  const LocretState mark{.length = fields.integer("length"),
                         .nextTokenIndex = fields.integer("nextTokenIndex"),
                         .evictions = fields.integer("evictions"),
                         .hasLogits = 0};
  expectSuccess(arguments.env(), locretRewind(engineOf(arguments), &mark));
  return nullptr;
}

napi_value clear(const Arguments& arguments) {
  expectSuccess(arguments.env(), locretClear(engineOf(arguments)));
  return nullptr;
}

napi_value forget(const Arguments& arguments) {
  const std::span<std::int32_t> ranges = arguments.integers(1);
  std::int32_t dropped = 0;
  expectSuccess(arguments.env(), locretForget(engineOf(arguments), ranges.data(),
                                              static_cast<std::int32_t>(ranges.size() / 2), &dropped));
  return numberValue(arguments.env(), dropped);
}

namespace {

LocretLayer layerFrom(const Arguments& arguments, std::size_t index) {
  const Fields fields(arguments.env(), arguments.at(index));
  return {.units = fields.bytes("units").data(),
          .scores = fields.floats("scores"),
          .tokenIndices = fields.integers("tokenIndices")};
}

}  // namespace

napi_value exportLayer(const Arguments& arguments) {
  const LocretLayer target = layerFrom(arguments, 2);
  expectSuccess(arguments.env(), locretExport(engineOf(arguments), arguments.integer(1), &target));
  return nullptr;
}

napi_value importLayer(const Arguments& arguments) {
  const LocretLayer source = layerFrom(arguments, 3);
  expectSuccess(arguments.env(),
                locretImport(engineOf(arguments), arguments.integer(1), arguments.integer(2), &source));
  return nullptr;
}

napi_value resume(const Arguments& arguments) {
  expectSuccess(arguments.env(), locretResume(engineOf(arguments), arguments.integer(1), arguments.integer(2)));
  return nullptr;
}

napi_value tokenIndices(const Arguments& arguments) {
  expectSuccess(arguments.env(), locretTokenIndices(engineOf(arguments), arguments.integers(1).data()));
  return nullptr;
}

napi_value memory(const Arguments& arguments) {
  LocretMemory counted{};
  expectSuccess(arguments.env(), locretMemory(&counted));
  return ObjectBuilder(arguments.env())
      .number("allocatedBytes", static_cast<double>(counted.allocatedBytes))
      .number("peakBytes", static_cast<double>(counted.peakBytes))
      .object();
}

}  // namespace locret::binding
