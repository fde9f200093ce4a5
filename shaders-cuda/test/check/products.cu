#include <string>
#include <vector>

#include "device/number-formats.cuh"
#include "device/stream.h"
#include "products/tensor-product.h"
#include "test/check/check.h"
#include "test/check/products-reference.h"

namespace locret::check {
namespace {

constexpr NumberFormat sixteenBitProducts[] = {NumberFormat::bfloat16, NumberFormat::float16, NumberFormat::int8,
                                               NumberFormat::int4};
constexpr NumberFormat everyFormat[] = {NumberFormat::float32, NumberFormat::bfloat16, NumberFormat::float16,
                                        NumberFormat::int8, NumberFormat::int4};

struct Size {
  std::int32_t rows;
  std::int32_t columns;
};

const auto multiplyNow = [](const Product& product) { multiply(product, nullptr); };

/** One token to eight, rows and columns around the edges of blocks, and few columns for many warps. */
const Registration vectors{"products/vectors", [](Report& report) {
  for (const NumberFormat format : everyFormat) {
    const auto check = [&](NumberFormat output, std::int32_t tokens, Size size, bool bias) {
      checkProductCase(report, {format, output, tokens, size.rows, size.columns, bias, false}, multiplyNow);
    };
    for (std::int32_t tokens = 1; tokens <= mostVectorTokens; ++tokens)
      check(activationOf(format), tokens, {40, 200}, tokens % 2 == 0);
    for (const Size size : {Size{1, 8}, {15, 64}, {16, 72}, {17, 128}, {130, 1'032}, {64, 2'048}}) {
      check(NumberFormat::float32, 1, size, true);
      check(NumberFormat::float32, 5, size, false);
    }
    if (format == NumberFormat::float32) check(NumberFormat::float32, 3, {33, 100}, true);
  }
}};

/** Every tile, with tokens, rows and columns that end within it, at its edge and behind it. */
void checkTile(Report& report, TileSize tile, std::int32_t tileTokens, std::int32_t tileRows) {
  for (const NumberFormat format : sixteenBitProducts) {
    const auto check = [&](NumberFormat output, std::int32_t tokens, Size size, bool bias) {
      checkProductCase(report, {format, output, tokens, size.rows, size.columns, bias, true},
                       [tile](const Product& product) { multiplyTensors(product, tile, nullptr); });
    };
    const NumberFormat activation = activationOf(format);
    check(NumberFormat::float32, tileTokens, {tileRows, 256}, false);
    check(activation, tileTokens, {tileRows, 64}, true);
    check(activation, 9, {8, 8}, true);
    check(NumberFormat::float32, tileTokens + 3, {tileRows + 5, 392}, true);
    check(activation, tileTokens - 1, {tileRows - 4, 40}, false);
    check(activation, 2 * tileTokens + 17, {2 * tileRows + 18, 72}, true);
  }
}

const Registration largeTile{"products/tensors-large", [](Report& report) {
  checkTile(report, TileSize::large, 128, 256);
}};
const Registration middleTile{"products/tensors-middle", [](Report& report) {
  checkTile(report, TileSize::middle, 128, 128);
}};
const Registration smallTile{"products/tensors-small", [](Report& report) {
  checkTile(report, TileSize::small, 64, 64);
}};

const Registration float32{"products/float32", [](Report& report) {
  for (const Size size : {Size{64, 256}, {1, 4}, {65, 100}, {192, 384}})
    for (const std::int32_t tokens : {9, 128, 131})
      checkProductCase(
          report,
          {NumberFormat::float32, NumberFormat::float32, tokens, size.rows, size.columns, tokens != 128, false},
          multiplyNow);
}};

const Registration chosen{"products/multiply", [](Report& report) {
  for (const NumberFormat format : sixteenBitProducts)
    for (const std::int32_t tokens : {9, 70, 150})
      checkProductCase(report, {format, activationOf(format), tokens, 96, 136, true, true}, multiplyNow);
  for (const NumberFormat format : everyFormat) {
    for (const std::int32_t tokens : {1, 33}) {
      checkProductCase(report, {format, NumberFormat::float32, tokens, 48, 64, false, tokens > mostVectorTokens},
                       [](const Product& product) {
                         const Stream stream;
                         const Graph graph = Graph::capture(stream, [&] { multiply(product, stream); });
                         graph.launch(stream);
                         stream.synchronize();
                       });
    }
  }
}};

const Registration refusals{"products/refused", [](Report& report) {
  const WeightMatrix weight{
      .format = NumberFormat::int4, .values = nullptr, .scales = nullptr, .rows = 16, .columns = 64};
  const Product whole{.input = nullptr,
                      .activation = NumberFormat::bfloat16,
                      .weight = weight,
                      .bias = nullptr,
                      .output = nullptr,
                      .outputFormat = NumberFormat::float32,
                      .tokens = 1};
  const auto refuses = [&](const std::string& what, const Product& product) {
    report.expectError(what, "invalid-argument", [&] { checkProduct(product); });
  };
  checkProduct(whole);
  Product changed = whole;
  changed.activation = NumberFormat::float16;
  refuses("int4 beside float16", changed);
  changed = whole;
  changed.weight.format = NumberFormat::float32;
  refuses("float32 beside bfloat16", changed);
  changed = whole;
  changed.outputFormat = NumberFormat::float16;
  refuses("output in a third format", changed);
  changed = whole;
  changed.tokens = 0;
  refuses("no tokens", changed);
  changed = whole;
  changed.weight.columns = 60;
  refuses("columns that are no multiple of eight", changed);
}};

}  // namespace
}  // namespace locret::check
