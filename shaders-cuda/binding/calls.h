#pragma once

#include <node_api.h>

#include "binding/arguments.h"

namespace locret::binding {

/*
 * The functions of the module; the first argument is mostly an engine that `open` returned. Structures are objects with
 * the fields of engine/locret-cuda.h by name, pointers typed arrays, or null where they may be. What fails is thrown in
 * JavaScript: an error with `code` and `message`. What each does: engine/locret-cuda.h.
 */

/** devices(): the driver, and all devices. */
napi_value devices(const Arguments& arguments);
/** plan(config): bytes by what they are for. */
napi_value plan(const Arguments& arguments);
/** open(config, cosine, sine, device): an engine without weights. */
napi_value open(const Arguments& arguments);
/** close(engine): gives all its memory back; closing twice does nothing. */
napi_value close(const Arguments& arguments);
/** load(engine, piece) */
napi_value load(const Arguments& arguments);
napi_value ready(const Arguments& arguments);
napi_value state(const Arguments& arguments);
/** pass(engine, pass): milliseconds. The sizes of all arrays are the caller's to know. */
napi_value pass(const Arguments& arguments);
/** step(engine, token, observe) */
napi_value step(const Arguments& arguments);
/** lastLogits(engine, logits) */
napi_value lastLogits(const Arguments& arguments);
napi_value likeliest(const Arguments& arguments);
/** startObserving(engine, reach) */
napi_value startObserving(const Arguments& arguments);
/** observed(engine, mass): observed tokens. */
napi_value observed(const Arguments& arguments);
/** rewind(engine, mark) */
napi_value rewind(const Arguments& arguments);
napi_value clear(const Arguments& arguments);
/** forget(engine, ranges): units that each KV head gave up. */
napi_value forget(const Arguments& arguments);
/** exportLayer(engine, layer, target) */
napi_value exportLayer(const Arguments& arguments);
/** importLayer(engine, layer, length, source) */
napi_value importLayer(const Arguments& arguments);
/** resume(engine, length, nextTokenIndex) */
napi_value resume(const Arguments& arguments);
/** tokenIndices(engine, tokenIndices) */
napi_value tokenIndices(const Arguments& arguments);
napi_value memory(const Arguments& arguments);

}  // namespace locret::binding
