#include "test/emulation/runtime-state.h"

#include <utility>

namespace {

thread_local cudaError_t lastError = cudaSuccess;

}  // namespace

cudaError_t cudaGetLastError() { return std::exchange(lastError, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return lastError; }

namespace locret::emulation {

CUstream_st& streamOf(cudaStream_t stream) {
  static CUstream_st defaultStream;
  return stream == nullptr ? defaultStream : *stream;
}

cudaError_t report(cudaError_t error) {
  if (error != cudaSuccess) lastError = error;
  return error;
}

std::vector<CUstream_st*>& capturingStreams() {
  static std::vector<CUstream_st*> streams;
  return streams;
}

void perform(cudaStream_t stream, std::function<void()> work) {
  CUstream_st& target = streamOf(stream);
  if (target.captured) {
    target.captured->work.push_back(std::move(work));
  } else {
    work();
  }
}

}  // namespace locret::emulation
