#include "products/product-choice.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "device/device-memory.h"
#include "device/error.h"
#include "device/number-formats.cuh"
#include "device/stream.h"
#include "products/cublaslt.h"
#include "products/product.h"
#include "products/tensor-product.h"

namespace locret {
namespace {

constexpr float noTime = std::numeric_limits<float>::quiet_NaN();

/** Device, formats and sizes of a product. */
using ProductKey = std::tuple<int, NumberFormat, NumberFormat, std::int32_t, std::int32_t, std::int32_t>;

struct Choices {
  std::mutex mutex;
  std::map<ProductKey, CublasLt::PreparedPointer> prepared;
  DeviceBuffer workspace;
};

Choices& choices() {
  // Never destroyed: at the end of the process the runtime that would free the workspace is gone already.
  static Choices& all = *new Choices;
  return all;
}

ProductKey keyOf(const Product& product) {
  int device = 0;
  checkCuda(cudaGetDevice(&device), "Asking which device is current");
  return {device,         product.weight.format, product.outputFormat, product.weight.rows, product.weight.columns,
          product.tokens};
}

std::size_t outputBytes(const Product& product) {
  return bytesOf(product.outputFormat,
                 static_cast<std::size_t>(product.tokens) * static_cast<std::size_t>(product.weight.rows));
}

bool hasChoice(const Product& product) {
  const bool is16Bit =
      product.weight.format == NumberFormat::bfloat16 || product.weight.format == NumberFormat::float16;
  return is16Bit && product.bias == nullptr && product.tokens > mostVectorTokens;
}

/**
 * Fills the input with two numbers (about 0.01 as bfloat16, 1 as float16), one for each half of the tokens, so that a
 * result that confuses tokens, rows or columns is another one.
 */
void fillInput(const Product& product, void* input, cudaStream_t stream) {
  const std::size_t tokenBytes = static_cast<std::size_t>(product.weight.columns) * 2;
  const std::size_t firstBytes = static_cast<std::size_t>(product.tokens / 2) * tokenBytes;
  const std::size_t restBytes = static_cast<std::size_t>(product.tokens) * tokenBytes - firstBytes;
  checkCuda(cudaMemsetAsync(input, 0x3c, firstBytes, stream), "Filling the input of a product");
  checkCuda(cudaMemsetAsync(static_cast<std::byte*>(input) + firstBytes, 0x3b, restBytes, stream),
            "Filling the input of a product");
}

/** The output of the first, the middle and the last token. */
std::vector<float> sampleOutput(const Product& product, cudaStream_t stream) {
  return withFloatType(product.outputFormat, "The output of a product", [&]<class T>(std::type_identity<T>) {
    const auto rows = static_cast<std::size_t>(product.weight.rows);
    std::vector<T> numbers(3 * rows);
    const std::int32_t tokens[] = {0, product.tokens / 2, product.tokens - 1};
    for (std::size_t i = 0; i < 3; ++i)
      checkCuda(cudaMemcpyAsync(numbers.data() + i * rows,
                                static_cast<const T*>(product.output) + static_cast<std::size_t>(tokens[i]) * rows,
                                rows * sizeof(T), cudaMemcpyDeviceToHost, stream),
                "Copying the output of a product");
    checkCuda(cudaStreamSynchronize(stream), "Multiplying");
    std::vector<float> sample(numbers.size());
    std::transform(numbers.begin(), numbers.end(), sample.begin(), [](T number) { return toFloat(number); });
    return sample;
  });
}

/** Whether two outputs are the same up to rounding; numbers that are none are never the same. */
bool isSame(const std::vector<float>& first, const std::vector<float>& second) {
  constexpr float tolerance = 0x1p-6f;
  float largest = 0.0f;
  for (const float number : first) largest = std::max(largest, std::abs(number));
  for (std::size_t i = 0; i < first.size(); ++i)
    if (!(std::abs(first[i] - second[i]) <= tolerance * largest)) return false;
  return true;
}

/** Milliseconds of one `work()`, after a first one that is not counted. */
template <class Work>
float timeOf(Work&& work, cudaStream_t stream) {
  constexpr int repetitions = 5;
  work();
  const Event begin;
  const Event end;
  begin.record(stream);
  for (int i = 0; i < repetitions; ++i) work();
  end.record(stream);
  end.synchronize();
  return end.millisecondsSince(begin) / repetitions;
}

/** Whether there is room for what cublasLt works in; without it our own kernels do all products. */
bool hasWorkspace(Choices& all) {
  if (all.workspace) return true;
  try {
    all.workspace = DeviceBuffer(CublasLt::workspaceBytes, "the workspace of cublasLt");
    return true;
  } catch (const Error& error) {
    if (error.code() != "out-of-memory") throw;
    return false;
  }
}

void multiplyByOwnKernel(const Product& product, cudaStream_t stream) {
  multiplyTensors(product, chooseTile(product), stream);
}

}  // namespace

ProductTimes chooseProduct(const Product& product, void* input, cudaStream_t stream) {
  checkProduct(product);
  if (!hasChoice(product)) return {.own = noTime, .cublasLt = noTime, .usesCublasLt = false};
  Product measured = product;
  measured.input = input;
  fillInput(measured, input, stream);
  ProductTimes times{.own = timeOf([&] { multiplyByOwnKernel(measured, stream); }, stream),
                     .cublasLt = noTime,
                     .usesCublasLt = false};
  const CublasLt* library = CublasLt::find();
  CublasLt::PreparedPointer prepared = library == nullptr ? nullptr : library->prepare(measured);
  if (prepared == nullptr) return times;

  Choices& all = choices();
  const std::lock_guard lock(all.mutex);
  if (!hasWorkspace(all)) return times;
  const std::vector<float> expected = sampleOutput(measured, stream);
  checkCuda(cudaMemsetAsync(measured.output, 0xff, outputBytes(measured), stream), "Clearing the output of a product");
  const auto multiplyByLibrary = [&] { library->multiply(*prepared, measured, all.workspace.data(), stream); };
  multiplyByLibrary();
  if (!isSame(expected, sampleOutput(measured, stream))) return times;
  times.cublasLt = timeOf(multiplyByLibrary, stream);
  times.usesCublasLt = times.cublasLt < times.own;
  if (times.usesCublasLt) all.prepared.insert_or_assign(keyOf(product), std::move(prepared));
  return times;
}

bool multiplyByChoice(const Product& product, cudaStream_t stream) {
  if (!hasChoice(product)) return false;
  Choices& all = choices();
  const std::lock_guard lock(all.mutex);
  if (all.prepared.empty()) return false;
  const auto found = all.prepared.find(keyOf(product));
  if (found == all.prepared.end()) return false;
  CublasLt::find()->multiply(*found->second, product, all.workspace.data(), stream);
  return true;
}

void forgetProductChoices() {
  Choices& all = choices();
  const std::lock_guard lock(all.mutex);
  all.prepared.clear();
  all.workspace.release();
}

}  // namespace locret
