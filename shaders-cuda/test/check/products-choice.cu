#include <cmath>
#include <cstddef>
#include <string>

#include "device/device-memory.h"
#include "device/number-formats.cuh"
#include "products/cublaslt.h"
#include "products/product-choice.h"
#include "test/check/check.h"
#include "test/check/products-reference.h"

#if defined(LOCRET_EMULATED)
#include "test/emulation/device-memory.h"
#include "test/emulation/machine.h"
#endif

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

#if defined(LOCRET_EMULATED)
/** While one lives, the emulated machine has cublasLt. */
class WithCublasLt {
 public:
  explicit WithCublasLt(emulation::CublasLtKind kind) { emulation::machine().cublasLt = kind; }
  ~WithCublasLt() {
    forgetProductChoices();
    emulation::machine().cublasLt = emulation::CublasLtKind::none;
  }
  WithCublasLt(const WithCublasLt&) = delete;
  WithCublasLt& operator=(const WithCublasLt&) = delete;
};

const Registration installed{"products/choice-cublaslt", [](Report& report) {
  using emulation::CublasLtKind;
  const std::size_t before = allocationCounters().bytes;
  const ProductCase sizes{NumberFormat::bfloat16, NumberFormat::float32, 96, 128, 192, false, true};
  for (const NumberFormat format : {NumberFormat::bfloat16, NumberFormat::float16}) {
    for (const NumberFormat output : {format, NumberFormat::float32}) {
      const WithCublasLt library(CublasLtKind::right);
      const ProductCase one{format, output, 150, 200, 328, false, true};
      const std::string name = std::string(nameOf(format)) + " to " + nameOf(output);
      const ProductTimes times = ChunkProduct(one).choose();
      report.expect(name + ": both are timed", times.own > 0.0f && times.cublasLt > 0.0f);
      report.expect(name + ": the faster one is taken", times.usesCublasLt == (times.cublasLt < times.own));
      checkProductCase(report, one, [&](const Product& product) {
        const CublasLt* found = CublasLt::find();
        const DeviceBuffer workspace(CublasLt::workspaceBytes, "the workspace of cublasLt");
        found->multiply(*found->prepare(product), product, workspace.data(), nullptr);
      });
      checkProductCase(report, one, [](const Product& product) { multiply(product, nullptr); });
    }
  }
  {
    const WithCublasLt library(CublasLtKind::wrong);
    const ProductTimes times = ChunkProduct(sizes).choose();
    report.expect("a library whose products are off is not taken", !times.usesCublasLt && std::isnan(times.cublasLt));
    checkProductCase(report, sizes, [](const Product& product) { multiply(product, nullptr); });
  }
  {
    const WithCublasLt library(CublasLtKind::right);
    const ChunkProduct product(sizes);
    emulation::failAllocation(0);
    const ProductTimes times = product.choose();
    report.expect("without room for its workspace it is not taken", !times.usesCublasLt && times.own > 0.0f);
    report.expect("with room it is timed", product.choose().cublasLt > 0.0f);
  }
  {
    const WithCublasLt library(CublasLtKind::right);
    emulation::machine().devices = 2;
    report.expect("it is found on the first device", CublasLt::find() != nullptr);
    checkCuda(cudaSetDevice(1), "Choosing the second device");
    report.expect("and not on a second one", CublasLt::find() == nullptr);
    checkCuda(cudaSetDevice(0), "Choosing the first device");
    emulation::machine().devices = 1;
  }
  report.expect("nothing of it stays allocated", allocationCounters().bytes == before);
}};
#endif

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
