#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>

#include <cuda_runtime.h>

#include "device/error.h"

#if defined(LOCRET_EMULATED)
#include "test/emulation/kernel-arguments.h"
#define LOCRET_DYNAMIC_SHARED(type, name) type* const name = static_cast<type*>(::locret::emulation::dynamicShared())
#else
/** Declares `type* name`, the dynamic shared memory of a kernel, aligned to 128 bytes. */
#define LOCRET_DYNAMIC_SHARED(type, name)                              \
  extern __shared__ __align__(128) unsigned char locretSharedMemory[]; \
  type* const name = reinterpret_cast<type*>(locretSharedMemory)
#endif

/**
 * Before the name of a kernel that may spill registers because its speed does not matter. The build refuses spills in
 * all others (scripts/build-cuda.mjs).
 */
#define LOCRET_MAY_SPILL

namespace locret {

/** A stream, and the line of the host function that launches something on it. */
struct LaunchStream {
  // Implicit, so that the caller's line becomes known without a word of the caller's.
  LaunchStream(cudaStream_t stream, std::source_location where = std::source_location::current())
      : stream(stream), where(where) {}

  cudaStream_t stream;
  std::source_location where;
};

/** Blocks that cover `count` elements, `perBlock` each. */
constexpr unsigned int blocksFor(std::int64_t count, std::int64_t perBlock) {
  return static_cast<unsigned int>((count + perBlock - 1) / perBlock);
}

/** "the kernel launched at FILE:LINE", for messages. */
inline std::string describeLaunch(const LaunchStream& stream) {
  return std::string("the kernel launched at ") + stream.where.file_name() + ":" + std::to_string(stream.where.line());
}

/**
 * Launches a kernel: `grid` blocks of `block` threads (a multiple of 32) with `sharedBytes` of dynamic shared memory.
 * Arguments are converted to the kernel's parameters, which must be trivially copyable. An empty grid launches nothing.
 * Throws Error when the launch is refused. A kernel must not need blocks to wait for blocks of higher number.
 */
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t sharedBytes, LaunchStream stream,
            Arguments&&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "A kernel takes an argument for each parameter.");
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "Kernel parameters are copied byte by byte.");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  std::tuple<std::remove_const_t<Parameters>...> values{static_cast<Parameters>(arguments)...};
#if defined(LOCRET_EMULATED)
  std::apply(
      [&](const auto&... value) {
        [[maybe_unused]] int number = 0;
        (emulation::checkArgument(&value, sizeof value, ++number, stream.where), ...);
      },
      values);
  const auto run = [kernel, values] { std::apply(kernel, values); };
  emulation::launchOn(stream.stream, {grid, block, sharedBytes, run, stream.where});
#else
  constexpr std::size_t sharedWithoutAsking = 48 * 1024;
  if (sharedBytes > sharedWithoutAsking) {
    checkCuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(sharedBytes)),
              "Asking for " + std::to_string(sharedBytes) + " bytes of shared memory for " + describeLaunch(stream));
  }
  const cudaError_t result = std::apply(
      [&](auto&... value) {
        void* pointers[sizeof...(Parameters) + 1] = {static_cast<void*>(&value)..., nullptr};
        const auto* function = reinterpret_cast<const void*>(kernel);
        return cudaLaunchKernel(function, grid, block, pointers, sharedBytes, stream.stream);
      },
      values);
  if (result != cudaSuccess) checkCuda(result, "Launching " + describeLaunch(stream));
#endif
}

}  // namespace locret
