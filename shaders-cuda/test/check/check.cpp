#include "test/check/check.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <numbers>

#include "device/number-formats.h"

namespace locret::check {

namespace {

std::map<std::string, std::function<void(Report&)>>& registered() {
  static std::map<std::string, std::function<void(Report&)>> checks;
  return checks;
}

}  // namespace

// splitmix64.
std::uint64_t Random::bits() {
  std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15u);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

std::int32_t Random::below(std::int32_t count) {
  return static_cast<std::int32_t>(bits() % static_cast<std::uint64_t>(count));
}

float Random::uniform(float low, float high) {
  return low + (high - low) * static_cast<float>(bits() >> 40) * 0x1p-24f;
}

float Random::normal(float deviation) {
  const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53));
  const double angle = 2.0 * std::numbers::pi * static_cast<double>(bits() >> 11) * 0x1p-53;
  return deviation * static_cast<float>(radius * std::cos(angle));
}

std::vector<float> Random::normals(std::size_t count, float deviation) {
  std::vector<float> values(count);
  for (float& value : values) value = normal(deviation);
  return values;
}

std::vector<std::byte> encode(const std::vector<float>& values, NumberFormat format) {
  return withFloatType(format, "An array", [&]<class T>(std::type_identity<T>) {
    std::vector<std::byte> bytes(values.size() * sizeof(T));
    for (std::size_t index = 0; index < values.size(); ++index) {
      const T number = fromFloat<T>(values[index]);
      std::memcpy(bytes.data() + index * sizeof(T), &number, sizeof(T));
    }
    return bytes;
  });
}

std::vector<float> decode(const std::vector<std::byte>& bytes, NumberFormat format) {
  return withFloatType(format, "An array", [&]<class T>(std::type_identity<T>) {
    std::vector<float> values(bytes.size() / sizeof(T));
    for (std::size_t index = 0; index < values.size(); ++index) {
      T number;
      std::memcpy(&number, bytes.data() + index * sizeof(T), sizeof(T));
      values[index] = toFloat(number);
    }
    return values;
  });
}

std::vector<float> roundedTo(const std::vector<float>& values, NumberFormat format) {
  return decode(encode(values, format), format);
}

void Report::row(const std::string& sizes, double error, double bound, bool passed) {
  ++rows_;
  if (!passed) ++failures_;
  if (brief_ && passed) return;
  std::printf("%-34s | %-48s | %9.3g | %9.3g | %s\n", check_.c_str(), sizes.c_str(), error, bound,
              passed ? "ok" : "FAILED");
}

void Report::compare(const std::string& sizes, const std::vector<float>& values, const std::vector<double>& expected,
                     double bound) {
  double largest = values.size() == expected.size() ? 0.0 : std::numeric_limits<double>::infinity();
  for (std::size_t index = 0; index < std::min(values.size(), expected.size()); ++index) {
    const double value = values[index];
    if (value == expected[index] || (std::isnan(value) && std::isnan(expected[index]))) continue;
    const double error = std::abs(value - expected[index]);
    largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(largest, error);
  }
  row(sizes, largest, bound, largest <= bound);
}

void Report::expect(const std::string& sizes, bool holds) { row(sizes, holds ? 0.0 : 1.0, 0.0, holds); }

void Report::expectError(const std::string& sizes, const std::string& code, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.code() != code) std::printf("  %s: %s\n", error.code().c_str(), error.what());
    expect(sizes, error.code() == code);
    return;
  }
  expect(sizes, false);
}

Registration::Registration(std::string name, std::function<void(Report&)> run) {
  registered().emplace(std::move(name), std::move(run));
}

bool runAll(const Options& options) {
  std::printf("%-34s | %-48s | %9s | %9s |\n", "check", "sizes", "error", "bound");
  std::size_t checks = 0;
  std::size_t rows = 0;
  std::size_t failures = 0;
  for (const auto& [name, run] : registered()) {
    if (name.find(options.only) == std::string::npos) continue;
    const auto begun = std::chrono::steady_clock::now();
    Report report;
    report.check_ = name;
    report.brief_ = options.brief;
    try {
      run(report);
      // A check that compares nothing proves nothing.
      if (report.rows_ == 0) report.expect("the check has no cases", false);
    } catch (const std::exception& error) {
      std::printf("  %s\n", error.what());
      report.expect("ended early", false);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (options.brief) std::printf("%-34s | %zu cases in %.1f s\n", name.c_str(), report.rows_, seconds);
    std::fflush(stdout);
    ++checks;
    rows += report.rows_;
    failures += report.failures_;
  }
  std::printf("\n%zu checks, %zu cases, %zu failed.\n", checks, rows, failures);
  if (checks == 0) std::printf("There is no check whose name contains \"%s\".\n", options.only.c_str());
  return checks > 0 && failures == 0;
}

}  // namespace locret::check
