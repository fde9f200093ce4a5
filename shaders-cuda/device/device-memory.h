#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <cuda_runtime.h>

namespace locret {

/** Bytes of device memory that this process has allocated through DeviceBuffer: now, and the most at any time. */
struct AllocationCounters {
  std::size_t bytes;
  std::size_t peakBytes;
  std::size_t buffers;
};

/** Counted, not estimated: what cudaMalloc was asked for, rounded up to its granularity of 512 bytes. */
AllocationCounters allocationCounters();

/** Lets the peak begin anew at what is allocated now. */
void resetAllocationPeak();

/** A range of device memory, freed at its end. Not initialized. */
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  /**
   * `purpose` names the buffer in messages: "weights of layer 3". Throws Error out-of-memory with the arithmetic: what
   * was asked for, what is free, what this process holds already.
   */
  DeviceBuffer(std::size_t bytes, const std::string& purpose);
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;

  void* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }
  explicit operator bool() const noexcept { return data_ != nullptr; }

  /** The buffer as an array of T. */
  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(data_);
  }

  /** Frees it now. */
  void release() noexcept;

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/** Page-locked host memory, which copies to and from the device at full speed. Not initialized. */
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  PinnedBuffer(std::size_t bytes, const std::string& purpose);
  ~PinnedBuffer();
  PinnedBuffer(PinnedBuffer&& other) noexcept;
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept;

  void* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }

  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace locret
