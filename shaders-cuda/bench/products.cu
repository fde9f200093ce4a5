// Products in the shapes of Llama-3.1-8B, for one token to a chunk of 3,072.

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "bench/bench.h"
#include "device/device-memory.h"
#include "device/launch.cuh"
#include "device/number-formats.cuh"
#include "device/stream.h"
#include "products/cublaslt.h"
#include "products/product.h"
#include "products/tensor-product.h"

namespace locret::bench {
namespace {

struct Shape {
  const char* name;
  std::int32_t rows;
  std::int32_t columns;
};

constexpr Shape shapes[] = {{"q, k, v", 6'144, 4'096},
                            {"attention output", 4'096, 4'096},
                            {"gate and up", 28'672, 4'096},
                            {"down", 4'096, 14'336},
                            {"language head", 128'256, 4'096}};
constexpr NumberFormat formats[] = {NumberFormat::bfloat16, NumberFormat::float16, NumberFormat::int8,
                                    NumberFormat::int4};
constexpr std::int32_t tokenCounts[] = {1, 2, 8, 64, 512, 1'024, 3'072};
constexpr std::int32_t mostTokens = 3'072;

constexpr int fillThreads = 256;

/** Numbers in -scale..scale from a hash of their place: what a product costs depends on how many bits change. */
template <class T>
__global__ void __launch_bounds__(fillThreads) fillKernel(T* numbers, std::size_t count, float scale) {
  const std::size_t index = static_cast<std::size_t>(blockIdx.x) * fillThreads + threadIdx.x;
  if (index >= count) return;
  std::uint32_t hash = static_cast<std::uint32_t>(index) * 2654435761u;
  hash ^= hash >> 15;
  hash *= 2246822519u;
  hash ^= hash >> 13;
  numbers[index] = fromFloat<T>((static_cast<float>(hash >> 8) * 0x1p-23f - 1.0f) * scale);
}

void fill(void* numbers, NumberFormat format, std::size_t count, float scale, cudaStream_t stream) {
  withFloatType(format, "Numbers to measure with", [&]<class T>(std::type_identity<T>) {
    launch(fillKernel<T>, dim3(blocksFor(static_cast<std::int64_t>(count), fillThreads)), dim3(fillThreads), 0, stream,
           static_cast<T*>(numbers), count, scale);
  });
}

NumberFormat activationOf(NumberFormat weights) {
  return isQuantized(weights) ? NumberFormat::bfloat16 : weights;
}

/** Weights of one shape in one format, with input and output for up to `mostTokens`. */
class ShapedProduct {
 public:
  ShapedProduct(const Shape& shape, NumberFormat format)
      : input_(elements(mostTokens, shape.columns) * 2, "the input of a product"),
        output_(elements(mostTokens, shape.rows) * 2, "the output of a product"),
        layout_(layoutOf(format, shape.rows, shape.columns)),
        values_(layout_.valueBytes, "weights"),
        scales_(layout_.scaleBytes, "scales of weights") {
    const NumberFormat activation = activationOf(format);
    const Stream stream;
    fill(input_.data(), activation, elements(mostTokens, shape.columns), 1.0f, stream);
    const DeviceBuffer source(elements(shape.rows, shape.columns) * 2, "weights to pack");
    fill(source.data(), activation, elements(shape.rows, shape.columns), 0.02f, stream);
    packWeights({.source = source.data(),
                 .sourceFormat = activation,
                 .firstRow = 0,
                 .rowCount = shape.rows,
                 .format = format,
                 .values = values_.data(),
                 .scales = scales_.data(),
                 .rows = shape.rows,
                 .columns = shape.columns},
                stream);
    stream.synchronize();
    product_ = {.input = input_.data(),
                .activation = activation,
                .weight = {.format = format,
                           .values = values_.data(),
                           .scales = scales_.data(),
                           .rows = shape.rows,
                           .columns = shape.columns},
                .bias = nullptr,
                .output = output_.data(),
                .outputFormat = activation,
                .tokens = mostTokens};
  }

  Product of(std::int32_t tokens) const {
    Product product = product_;
    product.tokens = tokens;
    return product;
  }

  Work work(std::int32_t tokens) const {
    const double rows = product_.weight.rows;
    const double columns = product_.weight.columns;
    return {.bytes = static_cast<double>(layout_.valueBytes + layout_.scaleBytes) + 2.0 * tokens * (rows + columns),
            .flops = 2.0 * tokens * rows * columns};
  }

 private:
  static std::size_t elements(std::int32_t first, std::int32_t second) {
    return static_cast<std::size_t>(first) * static_cast<std::size_t>(second);
  }

  DeviceBuffer input_;
  DeviceBuffer output_;
  WeightLayout layout_;
  DeviceBuffer values_;
  DeviceBuffer scales_;
  Product product_{};
};

std::string describe(const Shape& shape, NumberFormat format, std::int32_t tokens) {
  return std::string(nameOf(format)) + ", " + std::to_string(tokens) + " tokens, " + shape.name + " " +
         std::to_string(shape.rows) + " x " + std::to_string(shape.columns);
}

const Registration products{"products/multiply", [](Bench& bench) {
  for (const Shape& shape : shapes) {
    for (const NumberFormat format : formats) {
      const ShapedProduct shaped(shape, format);
      for (const std::int32_t tokens : tokenCounts) {
        const Product product = shaped.of(tokens);
        bench.measure(describe(shape, format, tokens), shaped.work(tokens),
                      [&](cudaStream_t stream) { multiply(product, stream); });
      }
    }
  }
}};

/** What `chooseTile` estimates: the tiles against each other. */
const Registration tiles{"products/tiles", [](Bench& bench) {
  constexpr std::pair<TileSize, const char*> sizes[] = {
      {TileSize::large, "large"}, {TileSize::middle, "middle"}, {TileSize::small, "small"}};
  for (const NumberFormat format : {NumberFormat::bfloat16, NumberFormat::int4}) {
    for (const Shape& shape : {shapes[0], shapes[1], shapes[2]}) {
      const ShapedProduct shaped(shape, format);
      for (const std::int32_t tokens : {64, 512, 1'024, 3'072}) {
        const Product product = shaped.of(tokens);
        for (const auto& [size, name] : sizes)
          bench.measure(describe(shape, format, tokens) + ", " + name, shaped.work(tokens),
                        [&, size = size](cudaStream_t stream) { multiplyTensors(product, size, stream); });
      }
    }
  }
}};

/** The same products by cublasLt, where it is there. */
const Registration cublasLt{"products/cublaslt", [](Bench& bench) {
  const CublasLt* library = CublasLt::find();
  if (library == nullptr) return;
  const DeviceBuffer workspace(CublasLt::workspaceBytes, "the workspace of cublasLt");
  for (const Shape& shape : shapes) {
    const ShapedProduct shaped(shape, NumberFormat::bfloat16);
    for (const std::int32_t tokens : tokenCounts) {
      const Product product = shaped.of(tokens);
      const auto prepared = library->prepare(product);
      if (prepared == nullptr) continue;
      bench.measure(describe(shape, NumberFormat::bfloat16, tokens), shaped.work(tokens),
                    [&](cudaStream_t stream) { library->multiply(*prepared, product, workspace.data(), stream); });
    }
  }
}};

}  // namespace
}  // namespace locret::bench
