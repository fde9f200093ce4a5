#include "device/device-memory.h"

#include <algorithm>
#include <mutex>

#include "device/error.h"

namespace locret {

namespace {

constexpr std::size_t granularity = 512;

std::mutex countersMutex;
AllocationCounters counters{};

std::size_t counted(std::size_t bytes) { return (bytes + granularity - 1) / granularity * granularity; }

void count(std::size_t bytes) {
  const std::lock_guard lock(countersMutex);
  counters.bytes += counted(bytes);
  counters.buffers += 1;
  counters.peakBytes = std::max(counters.peakBytes, counters.bytes);
}

void discount(std::size_t bytes) {
  const std::lock_guard lock(countersMutex);
  counters.bytes -= counted(bytes);
  counters.buffers -= 1;
}

std::string inMegabytes(std::size_t bytes) {
  const std::size_t tenths = (bytes + 50'000) / 100'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MB";
}

std::string outOfMemory(std::size_t bytes, const std::string& purpose) {
  std::size_t free = 0;
  std::size_t total = 0;
  const bool known = cudaMemGetInfo(&free, &total) == cudaSuccess;
  const std::size_t held = allocationCounters().bytes;
  return "The device has no room for " + inMegabytes(bytes) + " (" + purpose + "): " +
         (known ? inMegabytes(free) + " of " + inMegabytes(total) + " are free" : std::string("its memory is full")) +
         " and " + inMegabytes(held) + " are held by this engine. Take a smaller budget or chunk, weights or a cache" +
         " of fewer bits, or end other programs that use the device.";
}

}  // namespace

AllocationCounters allocationCounters() {
  const std::lock_guard lock(countersMutex);
  return counters;
}

void resetAllocationPeak() {
  const std::lock_guard lock(countersMutex);
  counters.peakBytes = counters.bytes;
}

DeviceBuffer::DeviceBuffer(std::size_t bytes, const std::string& purpose) {
  if (bytes == 0) return;
  const cudaError_t result = cudaMalloc(&data_, bytes);
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw Error("out-of-memory", outOfMemory(bytes, purpose));
  }
  checkCuda(result, "Allocating " + std::to_string(bytes) + " bytes (" + purpose + ")");
  bytes_ = bytes;
  count(bytes);
}

DeviceBuffer::~DeviceBuffer() { release(); }

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void DeviceBuffer::release() noexcept {
  if (data_ == nullptr) return;
  // A failure here is one of an earlier kernel, and has been or will be reported there.
  cudaFree(data_);
  discount(bytes_);
  data_ = nullptr;
  bytes_ = 0;
}

PinnedBuffer::PinnedBuffer(std::size_t bytes, const std::string& purpose) {
  if (bytes == 0) return;
  checkCuda(cudaMallocHost(&data_, bytes),
            "Allocating " + std::to_string(bytes) + " bytes of page-locked host memory (" + purpose + ")");
  bytes_ = bytes;
}

PinnedBuffer::~PinnedBuffer() {
  if (data_ != nullptr) cudaFreeHost(data_);
}

PinnedBuffer::PinnedBuffer(PinnedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

PinnedBuffer& PinnedBuffer::operator=(PinnedBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace locret
