// Allocations and copies.

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "test/emulation/device-memory.h"
#include "test/emulation/runtime-state.h"

using locret::emulation::capturingStreams;
using locret::emulation::DeviceAccess;
using locret::emulation::perform;
using locret::emulation::report;
using locret::emulation::Violation;

namespace {

void checkRange(const void* pointer, std::size_t bytes, bool onDevice, const char* what) {
  const bool isDevice = locret::emulation::isDeviceAddress(pointer);
  if (bytes == 0) return;
  if (pointer == nullptr) throw Violation(std::string(what) + " is null.");
  if (isDevice != onDevice) {
    throw Violation(std::string(what) + " is in " + (isDevice ? "device" : "host") + " memory; its kind says " +
                    (onDevice ? "device." : "host."));
  }
  if (isDevice && !locret::emulation::isAllocated(pointer, bytes)) {
    throw Violation(std::string(what) + ": " + std::to_string(bytes) + " bytes do not lie in one allocation.");
  }
}

void checkCopy(const void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  if (kind == cudaMemcpyDefault) return;
  checkRange(target, bytes, kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice, "A copy's target");
  checkRange(source, bytes, kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice, "A copy's source");
  const auto* to = static_cast<const std::byte*>(target);
  const auto* from = static_cast<const std::byte*>(source);
  if (bytes > 0 && to < from + bytes && from < to + bytes) throw Violation("A copy's source and target overlap.");
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  *pointer = nullptr;
  if (!capturingStreams().empty()) return report(cudaErrorStreamCaptureUnsupported);
  if (bytes == 0) return cudaSuccess;
  *pointer = locret::emulation::allocateDevice(bytes);
  return report(*pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}

cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  if (!capturingStreams().empty()) return report(cudaErrorStreamCaptureUnsupported);
  return report(locret::emulation::freeDevice(pointer) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  *pointer = locret::emulation::isAllocationToFail() ? nullptr : std::malloc(bytes);
  if (*pointer == nullptr) return report(cudaErrorMemoryAllocation);
  std::memset(*pointer, 0xff, bytes);
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned int) { return cudaMallocHost(pointer, bytes); }

cudaError_t cudaFreeHost(void* pointer) {
  std::free(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  if (!capturingStreams().empty()) return report(cudaErrorStreamCaptureUnsupported);
  return cudaMemcpyAsync(target, source, bytes, kind, nullptr);
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  checkCopy(target, source, bytes, kind);
  perform(stream, [=] {
    const DeviceAccess access;
    if (bytes > 0) std::memcpy(target, source, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaMemcpy2DAsync(void* target, std::size_t targetPitch, const void* source, std::size_t sourcePitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  if (width > targetPitch || width > sourcePitch) return report(cudaErrorInvalidValue);
  for (std::size_t row = 0; row < height; ++row) {
    const cudaError_t result =
        cudaMemcpyAsync(static_cast<std::byte*>(target) + row * targetPitch,
                        static_cast<const std::byte*>(source) + row * sourcePitch, width, kind, stream);
    if (result != cudaSuccess) return result;
  }
  return cudaSuccess;
}

cudaError_t cudaMemset(void* target, int value, std::size_t bytes) {
  if (!capturingStreams().empty()) return report(cudaErrorStreamCaptureUnsupported);
  return cudaMemsetAsync(target, value, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* target, int value, std::size_t bytes, cudaStream_t stream) {
  checkRange(target, bytes, true, "What is to be set");
  perform(stream, [=] {
    const DeviceAccess access;
    if (bytes > 0) std::memset(target, value, bytes);
  });
  return cudaSuccess;
}
