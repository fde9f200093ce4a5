#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace locret::binding {

/** Something that JavaScript did or gave; it has been thrown there already, or is to be. */
class JavaScriptError {
 public:
  /** @param message empty: an exception is pending */
  explicit JavaScriptError(std::string message = {}) : message_(std::move(message)) {}
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

/** Throws unless the call of Node's interface went well. */
void check(napi_env env, napi_status status);

/** The arguments of a call from JavaScript, checked as they are read. */
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);

  napi_env env() const { return env_; }
  napi_value at(std::size_t index) const;
  std::int32_t integer(std::size_t index) const;
  /** The pointer that `napi_create_external` was given. */
  void* external(std::size_t index) const;
  /** A typed array of exactly this element type. */
  std::span<float> floats(std::size_t index) const;
  std::span<double> doubles(std::size_t index) const;
  std::span<std::int32_t> integers(std::size_t index) const;

 private:
  static constexpr std::size_t most = 4;

  napi_env env_;
  napi_value values_[most];
  std::size_t count_ = most;
};

/** Reads an object's fields. */
class Fields {
 public:
  Fields(napi_env env, napi_value object) : env_(env), object_(object) {}

  std::int32_t integer(const char* name) const;
  double number(const char* name) const;
  bool truth(const char* name) const;
  /** A typed array of exactly this element type; null where the field is. */
  float* floats(const char* name) const;
  std::int32_t* integers(const char* name) const;
  std::span<std::int32_t> integerSpan(const char* name) const;
  std::span<unsigned char> bytes(const char* name) const;
  /** An object within this one; empty where the field is null. */
  std::optional<Fields> fields(const char* name) const;

 private:
  bool isNull(const char* name) const;
  napi_value field(const char* name) const;

  napi_env env_;
  napi_value object_;
};

/** Builds an object field by field. */
class ObjectBuilder {
 public:
  explicit ObjectBuilder(napi_env env);

  ObjectBuilder& number(const char* name, double value);
  ObjectBuilder& truth(const char* name, bool value);
  ObjectBuilder& text(const char* name, const std::string& value);
  ObjectBuilder& value(const char* name, napi_value value);
  napi_value object() const { return object_; }

 private:
  napi_env env_;
  napi_value object_;
};

napi_value numberValue(napi_env env, double number);

}  // namespace locret::binding
