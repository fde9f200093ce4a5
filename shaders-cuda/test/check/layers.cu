#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "device/number-formats.cuh"
#include "layers/choose-highest.h"
#include "layers/embed.h"
#include "layers/gate.h"
#include "layers/normalize-heads.h"
#include "layers/normalize.h"
#include "test/check/check.h"
#include "test/check/products-reference.h"

namespace locret::check {
namespace {

constexpr NumberFormat everyFormat[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16,
                                        NumberFormat::int8, NumberFormat::int4};
constexpr NumberFormat activations[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16};

/** The error of a number that was computed in float32 and rounded to a format, relative to its size. */
double roundingOf(NumberFormat format) {
  switch (format) {
    case NumberFormat::bfloat16:
      return 0x1.02p-8;
    case NumberFormat::float16:
      return 0x1.02p-11;
    default:
      return 0x1p-20;
  }
}

std::vector<float> decoded(const DeviceArray<std::byte>& array, NumberFormat format) {
  return decode(array.download(), format);
}

double squaredMean(const float* numbers, int count) {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += double{numbers[i]} * numbers[i];
  return sum / count;
}

const Registration embedding{"layers/embed", [](Report& report) {
  for (const NumberFormat format : everyFormat) {
    for (const int width : {8, 64, 200, 1032}) {
      Random random(3);
      const int rows = 37;
      const HostWeights table = packOnHost(random.normals(static_cast<std::size_t>(rows) * width), format, rows, width);
      const DeviceWeights deviceTable(table);
      const std::vector<std::int32_t> ids = {36, 0, 5, 5, 17};
      const DeviceArray<std::int32_t> deviceIds(ids);
      const DeviceArray<float> hidden(ids.size() * static_cast<std::size_t>(width));
      embed({deviceIds.data(), deviceTable.matrix(), hidden.data(), static_cast<std::int32_t>(ids.size())}, nullptr);
      std::vector<double> expected;
      for (const std::int32_t id : ids) {
        const auto first = table.numbers.begin() + static_cast<std::ptrdiff_t>(id) * width;
        expected.insert(expected.end(), first, first + width);
      }
      report.compare("5 of 37 rows x " + std::to_string(width) + " " + nameOf(format), hidden.download(), expected, 0);
    }
  }
  Random random(4);
  const HostWeights narrow = packOnHost(random.normals(3 * 12), NumberFormat::float32, 3, 12);
  const DeviceWeights deviceNarrow(narrow);
  const DeviceArray<std::int32_t> ids(std::vector<std::int32_t>{2});
  const DeviceArray<float> hidden(12);
  embed({ids.data(), deviceNarrow.matrix(), hidden.data(), 1}, nullptr);
  report.compare("a row that ends after four columns", hidden.download(),
                 std::vector<double>(narrow.numbers.begin() + 24, narrow.numbers.end()), 0);
  report.expectError("no tokens", "invalid-argument",
                     [&] { embed({ids.data(), deviceNarrow.matrix(), hidden.data(), 0}, nullptr); });
}};

struct NormalizeCase {
  int tokens;
  int width;
  NumberFormat addition;
  NumberFormat output;
  bool adds;
};

void checkNormalize(Report& report, const NormalizeCase& shape) {
  Random random(5);
  const auto count = static_cast<std::size_t>(shape.tokens) * static_cast<std::size_t>(shape.width);
  const float epsilon = 1e-5f;
  std::vector<float> hidden = random.normals(count, 2.0f);
  const std::vector<float> addition = roundedTo(random.normals(count), shape.addition);
  const std::vector<float> weight = random.normals(static_cast<std::size_t>(shape.width));
  const DeviceArray<float> deviceHidden(hidden);
  const DeviceArray<std::byte> deviceAddition(encode(addition, shape.addition));
  const DeviceArray<float> deviceWeight(weight);
  const DeviceArray<std::byte> output(bytesOf(shape.output, count));
  normalize({deviceHidden.data(), shape.adds ? deviceAddition.data() : nullptr, shape.addition, deviceWeight.data(),
             epsilon, output.data(), shape.output, shape.tokens, shape.width},
            nullptr);

  std::vector<double> expected(count);
  double largest = 0;
  for (int token = 0; token < shape.tokens; ++token) {
    const std::size_t first = static_cast<std::size_t>(token) * shape.width;
    for (int i = 0; shape.adds && i < shape.width; ++i) hidden[first + i] += addition[first + i];
    const double scale = 1 / std::sqrt(squaredMean(&hidden[first], shape.width) + epsilon);
    for (int i = 0; i < shape.width; ++i) {
      expected[first + i] = hidden[first + i] * scale * weight[i];
      largest = std::max(largest, std::abs(expected[first + i]));
    }
  }
  const std::string name = std::to_string(shape.tokens) + " x " + std::to_string(shape.width) +
                           (shape.adds ? std::string(" + ") + nameOf(shape.addition) : "") + " -> " +
                           nameOf(shape.output);
  report.same(name + ", residual stream", deviceHidden.download(), hidden);
  report.compare(name, decoded(output, shape.output), expected, largest * roundingOf(shape.output));
}

const Registration normalization{"layers/normalize", [](Report& report) {
  for (const int width : {4, 64, 132, 192, 4096, 8192, 16384})
    checkNormalize(report, {3, width, NumberFormat::bfloat16, NumberFormat::bfloat16, true});
  for (const NumberFormat addition : activations) {
    for (const NumberFormat output : activations) checkNormalize(report, {2, 576, addition, output, true});
  }
  checkNormalize(report, {1, 896, NumberFormat::float32, NumberFormat::float32, false});
  checkNormalize(report, {70, 20, NumberFormat::float32, NumberFormat::float16, false});

  const DeviceArray<float> hidden(std::vector<float>{1, 2, 3, 4});
  const DeviceArray<float> addition(std::vector<float>{10, 20, 30, 40});
  normalize({hidden.data(), addition.data(), NumberFormat::float32, nullptr, 0, nullptr, NumberFormat::float32, 1, 4},
            nullptr);
  report.same("only the addition", hidden.download(), std::vector<float>{11, 22, 33, 44});
  for (const int width : {6, 16388}) {
    report.expectError("width " + std::to_string(width), "invalid-argument", [&] {
      normalize({hidden.data(), nullptr, NumberFormat::float32, addition.data(), 0, hidden.data(),
                 NumberFormat::float32, 1, width},
                nullptr);
    });
  }
}};

const Registration headNormalization{"layers/normalizeHeads", [](Report& report) {
  for (const NumberFormat format : activations) {
    for (const int headDim : {16, 32, 64, 80, 96, 128}) {
      Random random(6);
      const int tokens = 5;
      const int heads = 6;
      const int kvHeads = 2;
      const float epsilon = 1e-6f;
      const std::size_t width = static_cast<std::size_t>(heads + 2 * kvHeads) * headDim;
      const std::vector<float> projected = roundedTo(random.normals(tokens * width, 3.0f), format);
      const std::vector<float> queryWeight = random.normals(static_cast<std::size_t>(headDim));
      const std::vector<float> keyWeight = random.normals(static_cast<std::size_t>(headDim));
      const DeviceArray<std::byte> values(encode(projected, format));
      const DeviceArray<float> deviceQuery(queryWeight);
      const DeviceArray<float> deviceKey(keyWeight);
      normalizeHeads({{values.data(), format, tokens, heads, kvHeads, headDim}, deviceQuery.data(), deviceKey.data(),
                      epsilon},
                     nullptr);
      std::vector<double> expected(projected.begin(), projected.end());
      double largest = 0;
      for (int vector = 0; vector < tokens * (heads + 2 * kvHeads); ++vector) {
        const int head = vector % (heads + 2 * kvHeads);
        if (head >= heads + kvHeads) continue;
        const std::size_t first = static_cast<std::size_t>(vector) * headDim;
        const double scale = 1 / std::sqrt(squaredMean(&projected[first], headDim) + epsilon);
        for (int i = 0; i < headDim; ++i) {
          expected[first + i] = projected[first + i] * scale * (head < heads ? queryWeight : keyWeight)[i];
          largest = std::max(largest, std::abs(expected[first + i]));
        }
      }
      report.compare("5 tokens, 6 + 2 heads of " + std::to_string(headDim) + " " + nameOf(format),
                     decoded(values, format), expected, largest * roundingOf(format));
    }
  }
}};

const Registration gating{"layers/gate", [](Report& report) {
  for (const NumberFormat format : activations) {
    for (const int width : {4, 68, 1024, 1540}) {
      Random random(7);
      const int tokens = 3;
      std::vector<float> input = random.normals(static_cast<std::size_t>(tokens) * 2 * width, 4.0f);
      // Where e^-x overflows, silu is 0.
      input[0] = -200;
      input = roundedTo(input, format);
      const DeviceArray<std::byte> deviceInput(encode(input, format));
      const DeviceArray<std::byte> output(bytesOf(format, static_cast<std::size_t>(tokens) * width));
      gate({deviceInput.data(), format, output.data(), tokens, width}, nullptr);
      std::vector<double> expected;
      double largest = 0;
      for (int token = 0; token < tokens; ++token) {
        const float* row = &input[static_cast<std::size_t>(token) * 2 * width];
        for (int i = 0; i < width; ++i) {
          expected.push_back(row[i] / (1 + std::exp(-double{row[i]})) * row[width + i]);
          largest = std::max(largest, std::abs(expected.back()));
        }
      }
      report.compare("3 x " + std::to_string(width) + " " + nameOf(format), decoded(output, format), expected,
                     largest * roundingOf(format));
    }
  }
}};

std::vector<std::int32_t> highestOf(const std::vector<float>& logits, int rows) {
  const DeviceArray<float> deviceLogits(logits);
  const DeviceArray<std::int32_t> chosen(static_cast<std::size_t>(rows));
  const DeviceArray<std::byte> scratch(chooseScratchBytes(rows));
  chooseHighest({deviceLogits.data(), rows, static_cast<std::int32_t>(logits.size()) / rows, chosen.data(),
                 scratch.data()},
                nullptr);
  return chosen.download();
}

const Registration choice{"layers/chooseHighest", [](Report& report) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();
  Random random(8);
  for (const int vocabulary : {1, 31, 512, 40'000}) {
    const int rows = 3;
    const std::vector<float> logits = random.normals(static_cast<std::size_t>(rows) * vocabulary);
    std::vector<std::int32_t> expected;
    for (int row = 0; row < rows; ++row) {
      const auto first = logits.begin() + static_cast<std::ptrdiff_t>(row) * vocabulary;
      expected.push_back(static_cast<std::int32_t>(std::max_element(first, first + vocabulary) - first));
    }
    report.same("3 x " + std::to_string(vocabulary), highestOf(logits, rows), expected);
  }
  std::vector<float> equal(30'000, -2.5f);
  report.same("all equal", highestOf(equal, 1), {0});
  equal[20'017] = equal[29'999] = -1.0f;
  report.same("two equal in different blocks", highestOf(equal, 1), {20'017});
  report.same("0 and -0", highestOf({-1.0f, -0.0f, 0.0f, -3.0f}, 1), {1});
  report.same("infinities", highestOf({-infinity, 3.0f, infinity, -infinity, -infinity, -infinity}, 2), {2, 0});
  report.same("a NaN is reported", highestOf({1.0f, notANumber, infinity, 1.0f, 2.0f, 3.0f}, 2), {-1, 2});
  report.same("a negative NaN too", highestOf({1.0f, -notANumber}, 1), {-1});
}};

}  // namespace
}  // namespace locret::check
