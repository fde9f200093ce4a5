#include "emulation/runtime-api.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "emulation/device-memory.h"
#include "emulation/grid.h"

using locret::emulation::DeviceAccess;
using locret::emulation::Violation;

struct CUgraph_st {
  std::vector<std::function<void()>> work;
};

struct CUgraphExec_st {
  std::vector<std::function<void()>> work;
};

struct CUstream_st {
  /** The graph that its work goes to, while it is captured. */
  std::shared_ptr<CUgraph_st> captured;
  bool beganCapture = false;
};

struct CUevent_st {
  std::chrono::steady_clock::time_point time;
  std::shared_ptr<CUgraph_st> captured;
  bool recorded = false;
};

namespace {

using Clock = std::chrono::steady_clock;

// CUDA's default stream; it cannot be captured.
CUstream_st defaultStream;
thread_local cudaError_t lastError = cudaSuccess;
// Streams that are captured now; what must not happen during a capture looks at it.
std::vector<CUstream_st*> capturing;

CUstream_st& streamOf(cudaStream_t stream) { return stream == nullptr ? defaultStream : *stream; }

cudaError_t report(cudaError_t error) {
  if (error != cudaSuccess) lastError = error;
  return error;
}

void perform(cudaStream_t stream, std::function<void()> work) {
  CUstream_st& target = streamOf(stream);
  if (target.captured) {
    target.captured->work.push_back(std::move(work));
  } else {
    work();
  }
}

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

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorIllegalState:
      return "cudaErrorIllegalState";
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorIllegalState:
      return "the operation cannot be performed in the present state";
  }
  return "unrecognized error code";
}

cudaError_t cudaGetLastError() { return std::exchange(lastError, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return lastError; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) { return report(device == 0 ? cudaSuccess : cudaErrorInvalidDevice); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return report(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "Emulated on the processor");
  properties->totalGlobalMem = locret::emulation::deviceCapacity();
  properties->sharedMemPerBlock = 48 * 1024;
  properties->sharedMemPerBlockOptin = 99 * 1024;
  properties->major = 8;
  properties->minor = 6;
  properties->multiProcessorCount = 4;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties{};
  const cudaError_t result = cudaGetDeviceProperties(&properties, device);
  if (result != cudaSuccess) return result;
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      return cudaSuccess;
  }
  return report(cudaErrorInvalidValue);
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaDeviceReset() { return cudaSuccess; }

cudaError_t cudaDeviceSynchronize() {
  return report(capturing.empty() ? cudaSuccess : cudaErrorStreamCaptureUnsupported);
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = locret::emulation::deviceCapacity();
  const std::size_t used = locret::emulation::deviceBytesInUse();
  *free = used < *total ? *total - used : 0;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  *pointer = nullptr;
  if (!capturing.empty()) return report(cudaErrorStreamCaptureUnsupported);
  if (bytes == 0) return cudaSuccess;
  *pointer = locret::emulation::allocateDevice(bytes);
  return report(*pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}

cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  if (!capturing.empty()) return report(cudaErrorStreamCaptureUnsupported);
  return report(locret::emulation::freeDevice(pointer) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  *pointer = std::malloc(bytes);
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
  if (!capturing.empty()) return report(cudaErrorStreamCaptureUnsupported);
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
  if (!capturing.empty()) return report(cudaErrorStreamCaptureUnsupported);
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

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  *stream = new CUstream_st;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int) { return cudaStreamCreate(stream); }

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::erase(capturing, stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return report(streamOf(stream).captured ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) { return cudaStreamSynchronize(stream); }

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int) {
  if (event->captured && stream != nullptr && !stream->captured) {
    // The stream joins the capture that the event belongs to.
    stream->captured = event->captured;
    capturing.push_back(stream);
  }
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream == nullptr) return report(cudaErrorStreamCaptureUnsupported);
  if (stream->captured) return report(cudaErrorIllegalState);
  stream->captured = std::make_shared<CUgraph_st>();
  stream->beganCapture = true;
  capturing.push_back(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream == nullptr || !stream->captured || !stream->beganCapture) return report(cudaErrorIllegalState);
  const std::shared_ptr<CUgraph_st> captured = stream->captured;
  *graph = new CUgraph_st(*captured);
  stream->beganCapture = false;
  std::erase_if(capturing, [&](CUstream_st* member) {
    if (member->captured != captured) return false;
    member->captured.reset();
    return true;
  });
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = streamOf(stream).captured ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (streamOf(stream).captured) return report(cudaErrorStreamCaptureUnsupported);
  for (const std::function<void()>& work : executable->work) work();
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int) { return cudaEventCreate(event); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->captured = streamOf(stream).captured;
  event->recorded = true;
  event->time = Clock::now();
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (!begin->recorded || !end->recorded) return report(cudaErrorInvalidValue);
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - begin->time).count();
  return cudaSuccess;
}

namespace locret::emulation {

void launchOn(cudaStream_t stream, Launch launch) {
  perform(stream, [launch = std::move(launch)] { runGrid(launch); });
}

}  // namespace locret::emulation
