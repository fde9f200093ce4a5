#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "device/device-memory.h"
#include "device/error.h"
#include "device/types.h"

namespace locret::check {

/** Numbers from a fixed seed, the same on every machine. */
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits();
  /** In 0..count-1. */
  std::int32_t below(std::int32_t count);
  /** In low..high. */
  float uniform(float low, float high);
  /** Normally distributed. */
  float normal(float deviation = 1.0f);
  std::vector<float> normals(std::size_t count, float deviation = 1.0f);

 private:
  std::uint64_t state_;
};

/** `count` numbers of T on the device. */
template <class T>
class DeviceArray {
 public:
  /** Full of 0xff: NaN in all floating formats, -1 in integers. What a kernel leaves unwritten is seen. */
  explicit DeviceArray(std::size_t count) : count_(count), buffer_(count * sizeof(T), "a check's array") {
    if (count > 0) checkCuda(cudaMemset(buffer_.data(), 0xff, count * sizeof(T)), "Poisoning an array");
  }

  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) { upload(values); }

  void upload(const std::vector<T>& values) {
    checkCuda(cudaMemcpy(buffer_.data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
              "Copying an array to the device");
  }

  /** Waits for all work on the device. */
  std::vector<T> download() const {
    checkCuda(cudaDeviceSynchronize(), "Waiting for the kernels under check");
    std::vector<T> values(count_);
    checkCuda(cudaMemcpy(values.data(), buffer_.data(), count_ * sizeof(T), cudaMemcpyDeviceToHost),
              "Copying an array from the device");
    return values;
  }

  T* data() const { return buffer_.as<T>(); }
  std::size_t size() const { return count_; }

 private:
  std::size_t count_;
  DeviceBuffer buffer_;
};

/** float32 numbers in another floating format, as bytes; and back. */
std::vector<std::byte> encode(const std::vector<float>& values, NumberFormat format);
std::vector<float> decode(const std::vector<std::byte>& bytes, NumberFormat format);
/** The nearest numbers of a floating format, as float32: what the reference must compute with. */
std::vector<float> roundedTo(const std::vector<float>& values, NumberFormat format);

/** What a check has found; one row of the table per case. */
class Report {
 public:
  /**
   * Compares with a reference: the largest |value - expected| must be within `bound`. NaN where none is expected, and
   * another count, fail. `sizes` says which case it is: "3 x 64 bfloat16".
   */
  void compare(const std::string& sizes, const std::vector<float>& values, const std::vector<double>& expected,
               double bound);
  /** Two arrays must be the same bit by bit. */
  template <class T>
  void same(const std::string& sizes, const std::vector<T>& values, const std::vector<T>& expected) {
    std::size_t differing = values.size() == expected.size() ? 0 : 1;
    for (std::size_t index = 0; index < values.size() && index < expected.size(); ++index) {
      if (std::memcmp(&values[index], &expected[index], sizeof(T)) != 0) ++differing;
    }
    row(sizes, static_cast<double>(differing), 0.0, differing == 0);
  }
  /** Something that is so or not. */
  void expect(const std::string& sizes, bool holds);
  /** `call()` must throw an Error with this code. */
  void expectError(const std::string& sizes, const std::string& code, const std::function<void()>& call);

 private:
  friend bool runAll(const struct Options&);
  void row(const std::string& sizes, double error, double bound, bool passed);

  std::string check_;
  bool brief_ = false;
  std::size_t rows_ = 0;
  std::size_t failures_ = 0;
};

/** A check that registers itself: `const Registration layers{"layers/normalize", [](Report& report) { … }};` */
struct Registration {
  Registration(std::string name, std::function<void(Report&)> run);
};

/** What the command line says. */
struct Options {
  /** Only checks whose name contains it. */
  std::string only;
  /** A line per check, and the cases that failed. */
  bool brief = false;
};

/** Runs all checks in the order of their names and prints the table; true when there was one and none failed. */
bool runAll(const Options& options);

}  // namespace locret::check
