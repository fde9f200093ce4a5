#include <cstddef>
#include <string>
#include <vector>

#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "products/weight-elements.cuh"
#include "test/check/check.h"
#include "test/check/products-reference.h"

namespace locret::check {
namespace {

constexpr NumberFormat everyFormat[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16,
                                        NumberFormat::int8, NumberFormat::int4};

struct Size {
  std::int32_t rows;
  std::int32_t columns;
};

std::string describe(NumberFormat source, NumberFormat target, Size size, std::int32_t pieceRows) {
  return std::string(nameOf(source)) + " to " + nameOf(target) + " " + std::to_string(size.rows) + " x " +
         std::to_string(size.columns) + ", " + std::to_string(pieceRows) + " rows at once";
}

/** Weights with what quantization must get right: groups of zeros, extremes of either sign, equal magnitudes. */
std::vector<float> weightsToPack(Size size) {
  Random random(17);
  const auto count = static_cast<std::size_t>(size.rows) * static_cast<std::size_t>(size.columns);
  std::vector<float> source = random.normals(count, 0.02f);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t group = i / 32;
    if (group % 7 == 1) source[i] = 0.0f;
    if (group % 7 == 2) source[i] *= 1e-6f;
    if (group % 7 == 3) source[i] *= 1e4f;
    if (group % 7 == 4 && i % 32 < 2) source[i] = i % 2 == 0 ? 0.5f : -0.5f;
  }
  return source;
}

/** Packs `pieceRows` rows at a time and compares every byte, what fills up the last blocks included. */
void checkPacking(Report& report, NumberFormat sourceFormat, NumberFormat format, Size size, std::int32_t pieceRows) {
  const std::vector<float> source = roundedTo(weightsToPack(size), sourceFormat);
  const HostWeights expected = packOnHost(source, format, size.rows, size.columns);
  const DeviceArray<std::byte> deviceSource(encode(source, sourceFormat));
  const WeightLayout layout = layoutOf(format, size.rows, size.columns);
  const DeviceArray<std::byte> values(layout.valueBytes);
  const DeviceArray<std::byte> scales(layout.scaleBytes);
  for (std::int32_t row = 0; row < size.rows; row += pieceRows) {
    packWeights({.source = deviceSource.data() + bytesOf(sourceFormat, static_cast<std::size_t>(row) *
                                                                           static_cast<std::size_t>(size.columns)),
                 .sourceFormat = sourceFormat,
                 .firstRow = row,
                 .rowCount = std::min(pieceRows, size.rows - row),
                 .format = format,
                 .values = values.data(),
                 .scales = isQuantized(format) ? scales.data() : nullptr,
                 .rows = size.rows,
                 .columns = size.columns},
                nullptr);
  }
  report.same(describe(sourceFormat, format, size, pieceRows), values.download(), expected.values);
  if (isQuantized(format))
    report.same(describe(sourceFormat, format, size, pieceRows) + ", scales", scales.download(), expected.scales);
}

const Registration packing{"products/pack-weights", [](Report& report) {
  for (const NumberFormat source : {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16})
    for (const NumberFormat format : everyFormat) checkPacking(report, source, format, {37, 200}, 37);
  for (const NumberFormat format : everyFormat) {
    checkPacking(report, NumberFormat::bfloat16, format, {37, 200}, 5);
    checkPacking(report, NumberFormat::float32, format, {1, 8}, 1);
    checkPacking(report, NumberFormat::float32, format, {16, 64}, 16);
    checkPacking(report, NumberFormat::float16, format, {48, 2'120}, 16);
    // More rows than a grid has in its second dimension.
    checkPacking(report, NumberFormat::bfloat16, format, {65'537, 8}, 65'537);
  }
}};

/** One thread per eight columns. */
__global__ void readElements(WeightMatrix matrix, float* numbers) {
  const int perRow = (matrix.columns + 7) / 8;
  const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (index >= matrix.rows * perRow) return;
  const int row = index / perRow;
  const int column = index % perRow * 8;
  float eight[8];
  loadEightWeights(matrix, row, column, eight);
  for (int i = 0; i < 8; ++i)
    if (column + i < matrix.columns) numbers[row * matrix.columns + column + i] = eight[i];
}

const Registration elements{"products/weight-elements", [](Report& report) {
  for (const NumberFormat format : everyFormat) {
    const Size size{35, format == NumberFormat::float32 ? 204 : 200};
    const HostWeights weights = packOnHost(weightsToPack(size), format, size.rows, size.columns);
    const DeviceWeights deviceWeights(weights);
    const DeviceArray<float> numbers(weights.numbers.size());
    launch(readElements, dim3(blocksFor(size.rows * 26, 128)), dim3(128), 0, nullptr, deviceWeights.matrix(),
           numbers.data());
    report.same(std::string(nameOf(format)) + " 35 x " + std::to_string(size.columns), numbers.download(),
                weights.numbers);
  }
}};

const Registration refusals{"products/refused-weights", [](Report& report) {
  report.expectError("bfloat16 with 12 columns", "invalid-argument",
                     [] { layoutOf(NumberFormat::bfloat16, 8, 12); });
  report.expectError("float32 with 6 columns", "invalid-argument", [] { layoutOf(NumberFormat::float32, 8, 6); });
  report.expectError("int4 with 36 columns", "invalid-argument", [] { layoutOf(NumberFormat::int4, 8, 36); });
  report.expectError("no rows", "invalid-argument", [] { layoutOf(NumberFormat::int8, 0, 64); });
  float number = 0.0f;
  const PackWeights whole{.source = &number,
                          .sourceFormat = NumberFormat::float32,
                          .firstRow = 0,
                          .rowCount = 4,
                          .format = NumberFormat::int8,
                          .values = &number,
                          .scales = &number,
                          .rows = 4,
                          .columns = 64};
  const auto refuses = [&](const std::string& what, const PackWeights& weights) {
    report.expectError(what, "invalid-argument", [&] { packWeights(weights, nullptr); });
  };
  PackWeights changed = whole;
  changed.firstRow = 1;
  refuses("more rows than the matrix", changed);
  changed = whole;
  changed.scales = nullptr;
  refuses("int8 without scales", changed);
  changed = whole;
  changed.sourceFormat = NumberFormat::int4;
  refuses("a quantized source", changed);
}};

}  // namespace
}  // namespace locret::check
