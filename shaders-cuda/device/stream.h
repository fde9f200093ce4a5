#pragma once

#include <utility>

#include <cuda_runtime.h>

#include "device/error.h"

namespace locret {

/** A stream of its own; work on it is done in order. */
class Stream {
 public:
  Stream() { checkCuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "Creating a stream"); }
  ~Stream() {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }
  Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }

  operator cudaStream_t() const noexcept { return stream_; }

  /** Waits until all work is done; throws Error when some of it failed. */
  void synchronize() const { checkCuda(cudaStreamSynchronize(stream_), "Waiting for the device"); }

 private:
  cudaStream_t stream_ = nullptr;
};

/** A moment in a stream's work. */
class Event {
 public:
  Event() { checkCuda(cudaEventCreate(&event_), "Creating an event"); }
  ~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }

  operator cudaEvent_t() const noexcept { return event_; }

  void record(cudaStream_t stream) const { checkCuda(cudaEventRecord(event_, stream), "Recording an event"); }
  void synchronize() const { checkCuda(cudaEventSynchronize(event_), "Waiting for an event"); }

  /** Milliseconds from `begin` to this; both must have been reached. */
  float millisecondsSince(const Event& begin) const {
    float milliseconds = 0;
    checkCuda(cudaEventElapsedTime(&milliseconds, begin.event_, event_), "Reading the time between two events");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/** Work that was recorded once and can be launched many times; pointers and launch sizes are as they were recorded. */
class Graph {
 public:
  Graph() = default;
  ~Graph() { reset(); }
  Graph(Graph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }

  /** Records what `work()` puts on the stream, without doing it. */
  template <class Work>
  static Graph capture(cudaStream_t stream, Work&& work) {
    checkCuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "Beginning to record a graph");
    cudaGraph_t recorded = nullptr;
    try {
      work();
    } catch (...) {
      // The stream must not stay in the state of recording.
      if (cudaStreamEndCapture(stream, &recorded) == cudaSuccess && recorded != nullptr) cudaGraphDestroy(recorded);
      cudaGetLastError();
      throw;
    }
    checkCuda(cudaStreamEndCapture(stream, &recorded), "Recording a graph");
    Graph graph;
    const cudaError_t result = cudaGraphInstantiate(&graph.executable_, recorded, 0);
    cudaGraphDestroy(recorded);
    checkCuda(result, "Preparing a graph");
    return graph;
  }

  explicit operator bool() const noexcept { return executable_ != nullptr; }

  void launch(cudaStream_t stream) const { checkCuda(cudaGraphLaunch(executable_, stream), "Launching a graph"); }

  void reset() noexcept {
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
    executable_ = nullptr;
  }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace locret
