#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <cuda_runtime.h>

namespace locret {

/**
 * What every host function of the engine throws for a condition it foresees. The code is one of those of
 * server/errors.ts: out-of-memory, model-unsupported, invalid-argument, cancelled, engine-failed. The message names the
 * value, what was expected and what to do.
 */
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}

  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/** Throws an Error when a call of the CUDA runtime failed; `what` says in words what was being done. */
inline void checkCuda(cudaError_t result, const std::string& what) {
  if (result == cudaSuccess) return;
  // Reading it clears it: a later launch must not be blamed for this error.
  cudaGetLastError();
  throw Error(result == cudaErrorMemoryAllocation ? "out-of-memory" : "engine-failed",
              what + ": " + cudaGetErrorString(result) + " (" + cudaGetErrorName(result) + ").");
}

/** Throws an Error with code invalid-argument unless the condition holds. */
inline void expect(bool condition, const std::string& message) {
  if (!condition) throw Error("invalid-argument", message);
}

}  // namespace locret
