#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "test/emulation/runtime-api.h"

// What the emulated runtime knows of streams, for its own files.

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

namespace locret::emulation {

/** The stream, or CUDA's default one, which cannot be captured. */
CUstream_st& streamOf(cudaStream_t stream);

/** Remembers the error as the last one of this thread, and returns it. */
cudaError_t report(cudaError_t error);

/** The streams that are captured now. */
std::vector<CUstream_st*>& capturingStreams();

/** Does the work, or records it when the stream is captured. */
void perform(cudaStream_t stream, std::function<void()> work);

}  // namespace locret::emulation
