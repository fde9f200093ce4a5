#include "binding/arguments.h"

namespace locret::binding {
namespace {

/** The elements of a typed array. */
template <typename Number>
std::span<Number> typedArray(napi_env env, napi_value value, napi_typedarray_type type, const std::string& otherwise) {
  napi_typedarray_type found = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(env, value, &found, &length, &data, nullptr, nullptr);
  if (status != napi_ok || found != type) throw JavaScriptError(otherwise);
  return {static_cast<Number*>(data), length};
}

}  // namespace

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw JavaScriptError();
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  const bool known = info != nullptr && info->error_message != nullptr;
  throw JavaScriptError(known ? info->error_message : "a call of Node's interface failed");
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  check(env, napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr));
}

napi_value Arguments::at(std::size_t index) const {
  if (index >= count_ || index >= most) throw JavaScriptError("argument " + std::to_string(index) + " is missing");
  return values_[index];
}

std::int32_t Arguments::integer(std::size_t index) const {
  std::int32_t number = 0;
  check(env_, napi_get_value_int32(env_, at(index), &number));
  return number;
}

void* Arguments::external(std::size_t index) const {
  void* pointer = nullptr;
  check(env_, napi_get_value_external(env_, at(index), &pointer));
  return pointer;
}

std::span<float> Arguments::floats(std::size_t index) const {
  return typedArray<float>(env_, at(index), napi_float32_array, "argument " + std::to_string(index) + " is no Float32Array");
}

std::span<double> Arguments::doubles(std::size_t index) const {
  return typedArray<double>(env_, at(index), napi_float64_array, "argument " + std::to_string(index) + " is no Float64Array");
}

std::span<std::int32_t> Arguments::integers(std::size_t index) const {
  return typedArray<std::int32_t>(env_, at(index), napi_int32_array, "argument " + std::to_string(index) + " is no Int32Array");
}

napi_value Fields::field(const char* name) const {
  napi_value value = nullptr;
  check(env_, napi_get_named_property(env_, object_, name, &value));
  return value;
}

std::int32_t Fields::integer(const char* name) const {
  std::int32_t number = 0;
  if (napi_get_value_int32(env_, field(name), &number) != napi_ok) {
    throw JavaScriptError(std::string("the field ") + name + " is no number");
  }
  return number;
}

double Fields::number(const char* name) const {
  double number = 0;
  if (napi_get_value_double(env_, field(name), &number) != napi_ok) {
    throw JavaScriptError(std::string("the field ") + name + " is no number");
  }
  return number;
}

bool Fields::truth(const char* name) const {
  bool value = false;
  if (napi_get_value_bool(env_, field(name), &value) != napi_ok) {
    throw JavaScriptError(std::string("the field ") + name + " is no boolean");
  }
  return value;
}

bool Fields::isNull(const char* name) const {
  napi_valuetype type = napi_undefined;
  check(env_, napi_typeof(env_, field(name), &type));
  return type == napi_undefined || type == napi_null;
}

float* Fields::floats(const char* name) const {
  if (isNull(name)) return nullptr;
  const std::string otherwise = std::string("the field ") + name + " is no Float32Array";
  return typedArray<float>(env_, field(name), napi_float32_array, otherwise).data();
}

std::int32_t* Fields::integers(const char* name) const { return isNull(name) ? nullptr : integerSpan(name).data(); }

std::span<std::int32_t> Fields::integerSpan(const char* name) const {
  const std::string otherwise = std::string("the field ") + name + " is no Int32Array";
  return typedArray<std::int32_t>(env_, field(name), napi_int32_array, otherwise);
}

std::span<unsigned char> Fields::bytes(const char* name) const {
  const std::string otherwise = std::string("the field ") + name + " is no Uint8Array";
  return typedArray<unsigned char>(env_, field(name), napi_uint8_array, otherwise);
}

std::optional<Fields> Fields::fields(const char* name) const {
  if (isNull(name)) return std::nullopt;
  return Fields(env_, field(name));
}

ObjectBuilder::ObjectBuilder(napi_env env) : env_(env), object_(nullptr) {
  check(env, napi_create_object(env, &object_));
}

ObjectBuilder& ObjectBuilder::value(const char* name, napi_value value) {
  check(env_, napi_set_named_property(env_, object_, name, value));
  return *this;
}

ObjectBuilder& ObjectBuilder::number(const char* name, double number) { return value(name, numberValue(env_, number)); }

ObjectBuilder& ObjectBuilder::truth(const char* name, bool truth) {
  napi_value result = nullptr;
  check(env_, napi_get_boolean(env_, truth, &result));
  return value(name, result);
}

ObjectBuilder& ObjectBuilder::text(const char* name, const std::string& text) {
  napi_value result = nullptr;
  check(env_, napi_create_string_utf8(env_, text.data(), text.size(), &result));
  return value(name, result);
}

napi_value numberValue(napi_env env, double number) {
  napi_value result = nullptr;
  check(env, napi_create_double(env, number, &result));
  return result;
}

}  // namespace locret::binding
