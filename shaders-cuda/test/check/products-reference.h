#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "device/types.h"
#include "products/product.h"
#include "test/check/check.h"

namespace locret::check {

/** A weight matrix as the host packs it, independently of the kernels, and the numbers it stands for. */
struct HostWeights {
  NumberFormat format;
  std::int32_t rows;
  std::int32_t columns;
  std::vector<std::byte> values;
  /** bfloat16; empty without scales. */
  std::vector<std::byte> scales;
  /** `[rows, columns]` */
  std::vector<float> numbers;
};

HostWeights packOnHost(const std::vector<float>& source, NumberFormat format, std::int32_t rows, std::int32_t columns);

/** The weights on the device. */
class DeviceWeights {
 public:
  explicit DeviceWeights(const HostWeights& weights)
      : format_(weights.format), rows_(weights.rows), columns_(weights.columns), values_(weights.values),
        scales_(weights.scales) {}

  WeightMatrix matrix() const {
    return {.format = format_,
            .values = values_.data(),
            .scales = scales_.size() == 0 ? nullptr : scales_.data(),
            .rows = rows_,
            .columns = columns_};
  }

 private:
  NumberFormat format_;
  std::int32_t rows_;
  std::int32_t columns_;
  DeviceArray<std::byte> values_;
  DeviceArray<std::byte> scales_;
};

/** One product to check: random weights and input. */
struct ProductCase {
  NumberFormat weights;
  NumberFormat output;
  std::int32_t tokens;
  std::int32_t rows;
  std::int32_t columns;
  bool bias;
  /** Whether the kernel rounds scaled weights to bfloat16, as the tensor-core ones do. */
  bool roundsWeights;
};

/**
 * Multiplies with `run`, which is given the product on the device, and compares all of the output with float64. The
 * bound is that of sums in float32, and half a unit of the output's format.
 */
void checkProductCase(Report& report, const ProductCase& product, const std::function<void(const Product&)>& run);

/** The activation that goes with weights in a format. */
NumberFormat activationOf(NumberFormat weights);

}  // namespace locret::check
