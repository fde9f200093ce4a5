#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <string>

#include "device/error.h"
#include "device/types.h"

namespace locret {

/** Four neighbours in memory, loaded and stored at once. */
template <typename Number>
struct alignas(4 * sizeof(Number)) FourNumbers {
  Number at[4];
};

/**
 * Calls `use` with a value, of no meaning, of the type that activations of this format have.
 * @throws Error invalid-argument for int8 and int4, which are formats of weights and caches only
 */
template <typename Use>
void withActivation(NumberFormat format, const Use& use) {
  switch (format) {
    case NumberFormat::float32:
      return use(float{});
    case NumberFormat::bfloat16:
      return use(__nv_bfloat16{});
    case NumberFormat::float16:
      return use(__half{});
    case NumberFormat::int8:
    case NumberFormat::int4:
      break;
  }
  throw Error("invalid-argument", "Activations cannot be of number format " +
                                      std::to_string(static_cast<int>(format)) +
                                      "; use float32, bfloat16 or float16.");
}

}  // namespace locret
