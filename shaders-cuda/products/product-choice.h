#pragma once

#include <cuda_runtime.h>

#include "device/types.h"

namespace locret {

/** How long the two ways to do a product took, in milliseconds. */
struct ProductTimes {
  float own;
  /** Not a number where cublasLt is not there, does not take the product or gave another result. */
  float cublasLt;
  /** Whether `multiply` uses cublasLt from now on for products of these sizes and formats. */
  bool usesCublasLt;
};

/**
 * Lets a product be done by cublasLt where that is there, gives the same result and is faster here. An engine calls it
 * when it loads, for each product of a whole chunk; without it, all products are done by the engine's own kernels. Only
 * products of 16-bit weights, without bias and of more than eight tokens have a choice.
 *
 * `input` is used as the product's and overwritten, and so is `product.output`; both in their full size. Waits for the
 * device. The first choice of cublasLt allocates its workspace of 32 MB. All products that use cublasLt must be on one
 * stream at a time, because they share it.
 */
ProductTimes chooseProduct(const Product& product, void* input, cudaStream_t stream);

/** Does the product by cublasLt if that was chosen for its sizes and formats; otherwise false, and nothing was done. */
bool multiplyByChoice(const Product& product, cudaStream_t stream);

/** Forgets every choice and frees the workspace. */
void forgetProductChoices();

}  // namespace locret
