#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "device/types.h"

namespace locret {

/**
 * NVIDIA's library of matrix products, where the machine has it. It is opened at run time and declared here, so that
 * the engine is built and runs without it. Only products of 16-bit weights without bias are given to it.
 */
class CublasLt {
 public:
  /** Device memory that a product may use beside its operands, as NVIDIA recommends for Hopper. */
  static constexpr std::size_t workspaceBytes = std::size_t{32} << 20;

  /** A product of fixed sizes and formats, prepared: what to call the library with. */
  class Prepared;
  struct DeletePrepared {
    void operator()(Prepared* prepared) const noexcept;
  };
  using PreparedPointer = std::unique_ptr<Prepared, DeletePrepared>;

  /**
   * Null where the library cannot be opened, lacks a function or does not take this device; and on every other device
   * than the first one that it was found on.
   */
  static const CublasLt* find();

  /** Null where the library has no way to do it. Looks at formats and sizes, not at pointers. */
  PreparedPointer prepare(const Product& product) const;

  /** `product` has the sizes and formats that were prepared; `workspace` has `workspaceBytes`. Throws `Error`. */
  void multiply(const Prepared& prepared, const Product& product, void* workspace, cudaStream_t stream) const;

 private:
  struct Functions;

  CublasLt(const Functions& functions, void* handle, int device);

  const Functions& functions_;
  void* handle_;
  int device_;
};

}  // namespace locret
