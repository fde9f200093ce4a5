// Streams, graphs and events.

#include <utility>

#include "test/emulation/grid.h"
#include "test/emulation/runtime-state.h"

using locret::emulation::capturingStreams;
using locret::emulation::report;
using locret::emulation::streamOf;

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  *stream = new CUstream_st;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int) { return cudaStreamCreate(stream); }

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::erase(capturingStreams(), stream);
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
    capturingStreams().push_back(stream);
  }
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream == nullptr) return report(cudaErrorStreamCaptureUnsupported);
  if (stream->captured) return report(cudaErrorIllegalState);
  stream->captured = std::make_shared<CUgraph_st>();
  stream->beganCapture = true;
  capturingStreams().push_back(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream == nullptr || !stream->captured || !stream->beganCapture) return report(cudaErrorIllegalState);
  const std::shared_ptr<CUgraph_st> captured = stream->captured;
  *graph = new CUgraph_st(*captured);
  stream->beganCapture = false;
  std::erase_if(capturingStreams(), [&](CUstream_st* member) {
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
  event->time = std::chrono::steady_clock::now();
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
