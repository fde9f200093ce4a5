#include "products/cublaslt.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "device/error.h"
#include "products/shared-library.h"

#if defined(LOCRET_EMULATED)
#include "test/emulation/machine.h"
#endif

namespace locret {
namespace {

// The numbers of cublasLt.h, the same in versions 12 and 13.
constexpr int computeFloat32 = 68;
constexpr int float32Data = 0;
constexpr int float16Data = 2;
constexpr int bfloat16Data = 14;
constexpr int transposeAttribute = 3;
constexpr int transposed = 1;
constexpr int workspaceAttribute = 1;

int dataTypeOf(NumberFormat format) {
  switch (format) {
    case NumberFormat::bfloat16:
      return bfloat16Data;
    case NumberFormat::float16:
      return float16Data;
    case NumberFormat::float32:
    case NumberFormat::int8:
    case NumberFormat::int4:
      break;
  }
  return float32Data;
}

/** cublasLtMatmulHeuristicResult_t: an algorithm for a product. */
struct Algorithm {
  std::array<std::uint64_t, 8> algorithm;
  std::size_t workspaceBytes;
  int status;
  float waves;
  std::array<int, 4> reserved;
};

using Create = int (*)(void**);
using Destroy = int (*)(void*);
using CreateProduct = int (*)(void**, int, int);
using SetAttribute = int (*)(void*, int, const void*, std::size_t);
using CreateLayout = int (*)(void**, int, std::uint64_t, std::uint64_t, std::int64_t);
using FindAlgorithms = int (*)(void*, void*, void*, void*, void*, void*, void*, int, Algorithm*, int*);
using Multiply = int (*)(void*, void*, const void*, const void*, void*, const void*, void*, const void*, const void*,
                         void*, void*, void*, const void*, void*, std::size_t, cudaStream_t);

}  // namespace

struct CublasLt::Functions {
  Create create;
  CreateProduct createProduct;
  Destroy destroyProduct;
  SetAttribute setProductAttribute;
  CreateLayout createLayout;
  Destroy destroyLayout;
  Create createPreference;
  Destroy destroyPreference;
  SetAttribute setPreferenceAttribute;
  FindAlgorithms findAlgorithms;
  Multiply multiply;
};

namespace {

/** Something of the library's that it destroys. */
class Owned {
 public:
  explicit Owned(Destroy destroy) : destroy_(destroy) {}
  ~Owned() {
    if (pointer_ != nullptr) destroy_(pointer_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  void* get() const { return pointer_; }
  /** Where the library writes what it creates. */
  void** place() { return &pointer_; }

 private:
  Destroy destroy_;
  void* pointer_ = nullptr;
};

}  // namespace

/**
 * For the library, matrices are column-major: our weights `[rows, columns]` are columns × rows, transposed; input and
 * output are columns × tokens and rows × tokens.
 */
class CublasLt::Prepared {
 public:
  explicit Prepared(const Functions& functions)
      : product(functions.destroyProduct),
        weight(functions.destroyLayout),
        input(functions.destroyLayout),
        output(functions.destroyLayout) {}

  Owned product;
  Owned weight;
  Owned input;
  Owned output;
  Algorithm algorithm{};
};

void CublasLt::DeletePrepared::operator()(Prepared* prepared) const noexcept {
  delete prepared;
}

CublasLt::CublasLt(const Functions& functions, void* handle, int device)
    : functions_(functions), handle_(handle), device_(device) {}

const CublasLt* CublasLt::find() {
#if defined(LOCRET_EMULATED)
  if (emulation::machine().cublasLt == emulation::CublasLtKind::none) return nullptr;
#endif
  int device = 0;
  checkCuda(cudaGetDevice(&device), "Asking which device is current");
  // Opened once and never closed: what it has started on the device would have to end first.
  static const std::unique_ptr<const CublasLt> library = [device]() -> std::unique_ptr<const CublasLt> {
    static const SharedLibrary file = SharedLibrary::openFirst(
        {"libcublasLt.so.13", "libcublasLt.so.12", "cublasLt64_13.dll", "cublasLt64_12.dll"});
    static Functions functions;
    const bool isComplete = file.find("cublasLtCreate", functions.create) &&
                            file.find("cublasLtMatmulDescCreate", functions.createProduct) &&
                            file.find("cublasLtMatmulDescDestroy", functions.destroyProduct) &&
                            file.find("cublasLtMatmulDescSetAttribute", functions.setProductAttribute) &&
                            file.find("cublasLtMatrixLayoutCreate", functions.createLayout) &&
                            file.find("cublasLtMatrixLayoutDestroy", functions.destroyLayout) &&
                            file.find("cublasLtMatmulPreferenceCreate", functions.createPreference) &&
                            file.find("cublasLtMatmulPreferenceDestroy", functions.destroyPreference) &&
                            file.find("cublasLtMatmulPreferenceSetAttribute", functions.setPreferenceAttribute) &&
                            file.find("cublasLtMatmulAlgoGetHeuristic", functions.findAlgorithms) &&
                            file.find("cublasLtMatmul", functions.multiply);
    void* handle = nullptr;
    if (!isComplete || functions.create(&handle) != 0) return nullptr;
    return std::unique_ptr<const CublasLt>(new CublasLt(functions, handle, device));
  }();
  // What it has started belongs to one device; on another one our own kernels do as well.
  return library != nullptr && library->device_ == device ? library.get() : nullptr;
}

CublasLt::PreparedPointer CublasLt::prepare(const Product& product) const {
  const bool is16Bit =
      product.weight.format == NumberFormat::bfloat16 || product.weight.format == NumberFormat::float16;
  if (!is16Bit || product.bias != nullptr) return nullptr;
  const int operandType = dataTypeOf(product.weight.format);
  const int outputType = dataTypeOf(product.outputFormat);
  const auto rows = static_cast<std::uint64_t>(product.weight.rows);
  const auto columns = static_cast<std::uint64_t>(product.weight.columns);
  const auto tokens = static_cast<std::uint64_t>(product.tokens);

  PreparedPointer prepared(new Prepared(functions_));
  Owned preference(functions_.destroyPreference);
  const std::uint64_t workspace = workspaceBytes;
  int found = 0;
  const bool hasFailed =
      functions_.createProduct(prepared->product.place(), computeFloat32, float32Data) != 0 ||
      functions_.setProductAttribute(prepared->product.get(), transposeAttribute, &transposed, sizeof(int)) != 0 ||
      functions_.createLayout(prepared->weight.place(), operandType, columns, rows, product.weight.columns) != 0 ||
      functions_.createLayout(prepared->input.place(), operandType, columns, tokens, product.weight.columns) != 0 ||
      functions_.createLayout(prepared->output.place(), outputType, rows, tokens, product.weight.rows) != 0 ||
      functions_.createPreference(preference.place()) != 0 ||
      functions_.setPreferenceAttribute(preference.get(), workspaceAttribute, &workspace, sizeof workspace) != 0 ||
      functions_.findAlgorithms(handle_, prepared->product.get(), prepared->weight.get(), prepared->input.get(),
                                prepared->output.get(), prepared->output.get(), preference.get(), 1,
                                &prepared->algorithm, &found) != 0;
  return hasFailed || found == 0 || prepared->algorithm.status != 0 ? nullptr : std::move(prepared);
}

void CublasLt::multiply(const Prepared& prepared, const Product& product, void* workspace, cudaStream_t stream) const {
  const float one = 1.0f;
  const float zero = 0.0f;
  const int status = functions_.multiply(
      handle_, prepared.product.get(), &one, product.weight.values, prepared.weight.get(), product.input,
      prepared.input.get(), &zero, product.output, prepared.output.get(), product.output, prepared.output.get(),
      prepared.algorithm.algorithm.data(), workspace, workspaceBytes, stream);
  if (status != 0)
    throw Error("engine-failed", "cublasLt refused a product of " + std::to_string(product.tokens) + " tokens, " +
                                     std::to_string(product.weight.rows) + " rows and " +
                                     std::to_string(product.weight.columns) + " columns with status " +
                                     std::to_string(status) + ". Switch cublasLt off to go on without it.");
}

}  // namespace locret
