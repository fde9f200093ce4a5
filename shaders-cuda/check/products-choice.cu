#include <cmath>
#include <cstddef>
#include <string>

#include "check/check.h"
#include "check/products-reference.h"
#include "device/device-memory.h"
#include "device/number-formats.cuh"
#include "products/cublaslt.h"
#include "products/product-choice.h"

namespace locret::check {
namespace {

/** A product of a chunk: memory that the choice may overwrite. */
struct ChunkProduct {
  explicit ChunkProduct(const ProductCase& sizes)
      : input(static_cast<std::size_t>(sizes.tokens) * static_cast<std::size_t>(sizes.columns) * 2),
        output(static_cast<std::size_t>(sizes.tokens) * static_cast<std::size_t>(sizes.rows) * 4),
        weights(packOnHost(Random(5).normals(static_cast<std::size_t>(sizes.rows) *
                                             static_cast<std::size_t>(sizes.columns)),
                           sizes.weights, sizes.rows, sizes.columns)),
        bias(static_cast<std::size_t>(sizes.rows)) {
    product = {.input = input.data(),
               .activation = activationOf(sizes.weights),
               .weight = weights.matrix(),
               .bias = sizes.bias ? bias.data() : nullptr,
               .output = output.data(),
               .outputFormat = sizes.output,
               .tokens = sizes.tokens};
  }

  ProductTimes choose() const { return chooseProduct(product, input.data(), nullptr); }

  DeviceArray<std::byte> input;
  DeviceArray<std::byte> output;
  DeviceWeights weights;
  DeviceArray<float> bias;
  Product product{};
};

const Registration choice{"products/choice", [](Report& report) {
  const std::size_t before = allocationCounters().bytes;
  for (const NumberFormat format : {NumberFormat::bfloat16, NumberFormat::float16}) {
    for (const NumberFormat output : {format, NumberFormat::float32}) {
      const ProductCase sizes{format, output, 96, 128, 192, false, true};
      const ProductTimes times = ChunkProduct(sizes).choose();
      report.expect(std::string(nameOf(format)) + " to " + nameOf(output) + ": what was chosen is what was faster",
                    times.usesCublasLt == (times.cublasLt < times.own) && times.own > 0.0f);
      checkProductCase(report, sizes, [](const Product& product) { multiply(product, nullptr); });
    }
  }
  const auto hasNone = [&](const std::string& what, const ProductCase& sizes) {
    const ProductTimes times = ChunkProduct(sizes).choose();
    report.expect(what + " has no choice", !times.usesCublasLt && std::isnan(times.own));
  };
  hasNone("int4", {NumberFormat::int4, NumberFormat::bfloat16, 96, 128, 192, false, true});
  hasNone("float32", {NumberFormat::float32, NumberFormat::float32, 96, 128, 192, false, true});
  hasNone("a product with bias", {NumberFormat::bfloat16, NumberFormat::bfloat16, 96, 128, 192, true, true});
  hasNone("a product of few tokens", {NumberFormat::bfloat16, NumberFormat::bfloat16, 8, 128, 192, false, true});
  forgetProductChoices();
  report.expect("forgetting the choices frees the workspace", allocationCounters().bytes == before);
}};

/** Results of cublasLt against float64, chosen or not; where it is not there, those of the kernels that stand in. */
const Registration library{"products/cublaslt", [](Report& report) {
  const CublasLt* cublasLt = CublasLt::find();
  const DeviceBuffer workspace(CublasLt::workspaceBytes, "the workspace of cublasLt");
  for (const NumberFormat format : {NumberFormat::bfloat16, NumberFormat::float16}) {
    for (const NumberFormat output : {format, NumberFormat::float32}) {
      const ProductCase sizes{format, output, 150, 200, 328, false, true};
      checkProductCase(report, sizes, [&](const Product& product) {
        const auto prepared = cublasLt == nullptr ? nullptr : cublasLt->prepare(product);
        if (prepared == nullptr) return multiply(product, nullptr);
        cublasLt->multiply(*prepared, product, workspace.data(), nullptr);
      });
    }
  }
}};

}  // namespace
}  // namespace locret::check
