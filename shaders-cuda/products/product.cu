#include "products/product.h"

#include <string>

#include "device/error.h"
#include "device/number-formats.cuh"
#include "products/float32-product.h"
#include "products/product-choice.h"
#include "products/tensor-product.h"
#include "products/vector-product.h"

namespace locret {
namespace {

/** The formats of activations beside weights: see `multiply`. */
NumberFormat activationBeside(NumberFormat weights) {
  return isQuantized(weights) ? NumberFormat::bfloat16 : weights;
}

/** Rows of output that one launch covers in its second dimension, by the smallest tile. */
constexpr std::int32_t mostRows = 65'535 * 64;

}  // namespace

WeightLayout layoutOf(NumberFormat format, std::int32_t rows, std::int32_t columns) {
  const std::int32_t multiple = format == NumberFormat::float32 ? 4 : columnsOfLane;
  expect(rows >= 1 && rows <= mostRows, "A weight matrix has " + std::to_string(rows) + " rows; expected 1 to " +
                                            std::to_string(mostRows) + ".");
  // Not so many that an index of 32 bits ends before the row.
  expect(columns >= 1 && columns <= 1 << 24, "A weight matrix has " + std::to_string(columns) +
                                                 " columns; expected 1 to " + std::to_string(1 << 24) + ".");
  expect(columns % multiple == 0, "A weight matrix in " + std::string(nameOf(format)) + " has " +
                                      std::to_string(columns) + " columns; expected a multiple of " +
                                      std::to_string(multiple) + ". This model runs on the processor.");
  if (!isQuantized(format))
    return {.valueBytes = bytesOf(format, static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)),
            .scaleBytes = 0};
  const std::size_t blocks =
      static_cast<std::size_t>(rowBlocks(rows)) * static_cast<std::size_t>(columnBlocks(columns));
  return {.valueBytes = blocks * static_cast<std::size_t>(weightBlockBytes(format)),
          .scaleBytes = blocks * static_cast<std::size_t>(weightBlockScales(format)) * 2};
}

void checkProduct(const Product& product) {
  layoutOf(product.weight.format, product.weight.rows, product.weight.columns);
  const NumberFormat wanted = activationBeside(product.weight.format);
  expect(product.activation == wanted, "Weights in " + std::string(nameOf(product.weight.format)) +
                                           " cannot be multiplied with activations in " +
                                           nameOf(product.activation) + "; expected " + nameOf(wanted) + ".");
  expect(product.outputFormat == NumberFormat::float32 || product.outputFormat == product.activation,
         std::string("The output of a product is ") + nameOf(product.outputFormat) + "; expected float32 or " +
             nameOf(product.activation) + ", the format of its input.");
  expect(product.tokens >= 1, "A product has " + std::to_string(product.tokens) + " tokens; expected at least one.");
}

void multiply(const Product& product, cudaStream_t stream) {
  checkProduct(product);
  if (product.tokens <= mostVectorTokens) return multiplyVectors(product, stream);
  if (product.weight.format == NumberFormat::float32) return multiplyFloat32(product, stream);
  if (multiplyByChoice(product, stream)) return;
  multiplyTensors(product, chooseTile(product), stream);
}

}  // namespace locret
