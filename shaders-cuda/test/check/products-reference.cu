#include "test/check/products-reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "device/number-formats.cuh"
#include "products/quantization.h"

namespace locret::check {
namespace {

/** Quantizes eight columns after eight columns; the matrix is filled up with zeros to whole blocks. */
HostWeights quantizeOnHost(const std::vector<float>& source, NumberFormat format, std::int32_t rows,
                           std::int32_t columns) {
  const WeightLayout layout = layoutOf(format, rows, columns);
  HostWeights weights{format,
                      rows,
                      columns,
                      std::vector<std::byte>(layout.valueBytes),
                      std::vector<std::byte>(layout.scaleBytes),
                      std::vector<float>(source.size())};
  const std::int32_t paddedRows = rowBlocks(rows) * weightBlockRows;
  const std::int32_t paddedColumns = columnBlocks(columns) * weightBlockColumns;
  const std::int32_t group = columnsPerScale(format);
  for (std::int32_t row = 0; row < paddedRows; ++row) {
    const auto at = [&](std::int32_t column) {
      return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
    };
    const auto isInside = [&](std::int32_t column) { return row < rows && column < columns; };
    for (std::int32_t begin = 0; begin < paddedColumns; begin += group) {
      float extreme = 0.0f;
      for (std::int32_t column = begin; column < begin + group; ++column)
        if (isInside(column)) extreme = moreExtreme(extreme, source[at(column)]);
      const auto rounded = fromFloat<__nv_bfloat16>(scaleOfExtreme(format, extreme));
      const float scale = toFloat(rounded);
      std::memcpy(weights.scales.data() + scaleIndex(format, row, begin, columns) * sizeof rounded, &rounded,
                  sizeof rounded);
      for (std::int32_t eight = begin; eight < begin + group; eight += columnsOfLane) {
        std::uint32_t words[2] = {};
        for (std::int32_t i = 0; i < columnsOfLane; ++i) {
          const bool inside = isInside(eight + i);
          const int code = codeOfWeight(format, inside ? source[at(eight + i)] : 0.0f, scale);
          placeCode(format, i, code, words);
          if (inside) weights.numbers[at(eight + i)] = static_cast<float>(code) * scale;
        }
        std::memcpy(weights.values.data() + codesOffset(format, row, eight, columns), words,
                    format == NumberFormat::int4 ? 4 : 8);
      }
    }
  }
  return weights;
}

std::string describe(const ProductCase& product) {
  return std::to_string(product.tokens) + " x " + std::to_string(product.columns) + " -> " +
         std::to_string(product.rows) + " " + nameOf(product.weights) + " to " + nameOf(product.output) +
         (product.bias ? " + bias" : "");
}

}  // namespace

NumberFormat activationOf(NumberFormat weights) {
  return isQuantized(weights) ? NumberFormat::bfloat16 : weights;
}

HostWeights packOnHost(const std::vector<float>& source, NumberFormat format, std::int32_t rows, std::int32_t columns) {
  if (isQuantized(format)) return quantizeOnHost(source, format, rows, columns);
  return {format, rows, columns, encode(source, format), {}, roundedTo(source, format)};
}

void checkProductCase(Report& report, const ProductCase& product, const std::function<void(const Product&)>& run) {
  const auto rows = static_cast<std::size_t>(product.rows);
  const auto columns = static_cast<std::size_t>(product.columns);
  const auto tokens = static_cast<std::size_t>(product.tokens);
  const NumberFormat activation = activationOf(product.weights);
  Random random(static_cast<std::uint64_t>(product.tokens * 7919 + product.rows * 104729 + product.columns));
  const HostWeights weights =
      packOnHost(random.normals(rows * columns, 0.05f), product.weights, product.rows, product.columns);
  const std::vector<float> numbers =
      product.roundsWeights && isQuantized(product.weights) ? roundedTo(weights.numbers, NumberFormat::bfloat16)
                                                            : weights.numbers;
  const std::vector<float> input = roundedTo(random.normals(tokens * columns), activation);
  const std::vector<float> bias = random.normals(rows);

  std::vector<double> expected(tokens * rows);
  double largestSum = 0.0;
  double largestOutput = 0.0;
  for (std::size_t token = 0; token < tokens; ++token) {
    for (std::size_t row = 0; row < rows; ++row) {
      double sum = product.bias ? bias[row] : 0.0;
      double magnitudes = std::abs(sum);
      for (std::size_t column = 0; column < columns; ++column) {
        const double part = static_cast<double>(input[token * columns + column]) * numbers[row * columns + column];
        sum += part;
        magnitudes += std::abs(part);
      }
      expected[token * rows + row] = sum;
      largestSum = std::max(largestSum, magnitudes);
      largestOutput = std::max(largestOutput, std::abs(sum));
    }
  }

  const DeviceWeights deviceWeights(weights);
  const DeviceArray<std::byte> deviceInput(encode(input, activation));
  const DeviceArray<float> deviceBias(bias);
  const DeviceArray<std::byte> output(bytesOf(product.output, tokens * rows));
  run({.input = deviceInput.data(),
       .activation = activation,
       .weight = deviceWeights.matrix(),
       .bias = product.bias ? deviceBias.data() : nullptr,
       .output = output.data(),
       .outputFormat = product.output,
       .tokens = product.tokens});

  // Tensor cores cut off rather than round where they add: a few units of float32 for each of the 16 columns they take.
  const double sumError = largestSum * 0x1p-23 * (2.0 + static_cast<double>(columns) / 8.0);
  const double outputUnit =
      product.output == NumberFormat::float32 ? 0x1p-24 : product.output == NumberFormat::float16 ? 0x1p-11 : 0x1p-8;
  report.compare(describe(product), decode(output.download(), product.output), expected,
                 sumError + (largestOutput + sumError) * outputUnit);
}

}  // namespace locret::check
