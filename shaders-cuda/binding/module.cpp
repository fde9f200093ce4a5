// The engine's C interface as a module of Node: a function for each. Calls are synchronous, because the engine has a
// worker thread of its own in JavaScript. server/backends/cuda/binding.ts declares what is exported here.
#include <node_api.h>

#include "binding/arguments.h"
#include "binding/calls.h"
#include "engine/locret-cuda.h"

namespace locret::binding {
namespace {

/** Calls a function of the module; what it throws is thrown in JavaScript. */
template <napi_value (*function)(const Arguments&)>
napi_value call(napi_env env, napi_callback_info info) {
  try {
    return function(Arguments(env, info));
  } catch (const JavaScriptError& error) {
    if (!error.message().empty()) napi_throw_type_error(env, nullptr, error.message().c_str());
  }
  return nullptr;
}

template <napi_value (*function)(const Arguments&)>
void define(napi_env env, napi_value exports, const char* name) {
  napi_value value = nullptr;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call<function>, nullptr, &value));
  check(env, napi_set_named_property(env, exports, name, value));
}

napi_value defineAll(napi_env env, napi_value exports) {
  define<devices>(env, exports, "devices");
  define<plan>(env, exports, "plan");
  define<open>(env, exports, "open");
  define<close>(env, exports, "close");
  define<load>(env, exports, "load");
  define<ready>(env, exports, "ready");
  define<state>(env, exports, "state");
  define<pass>(env, exports, "pass");
  define<step>(env, exports, "step");
  define<lastLogits>(env, exports, "lastLogits");
  define<likeliest>(env, exports, "likeliest");
  define<startObserving>(env, exports, "startObserving");
  define<observed>(env, exports, "observed");
  define<rewind>(env, exports, "rewind");
  define<clear>(env, exports, "clear");
  define<forget>(env, exports, "forget");
  define<exportLayer>(env, exports, "exportLayer");
  define<importLayer>(env, exports, "importLayer");
  define<resume>(env, exports, "resume");
  define<tokenIndices>(env, exports, "tokenIndices");
  define<memory>(env, exports, "memory");
  check(env, napi_set_named_property(env, exports, "numerics", numberValue(env, LOCRET_CUDA_NUMERICS)));
  return exports;
}

}  // namespace

napi_value initialize(napi_env env, napi_value exports) {
  try {
    return defineAll(env, exports);
  } catch (const JavaScriptError& error) {
    if (!error.message().empty()) napi_throw_error(env, nullptr, error.message().c_str());
    return nullptr;
  }
}

}  // namespace locret::binding

NAPI_MODULE_INIT() { return locret::binding::initialize(env, exports); }
