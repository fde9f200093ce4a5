// Checks the emulation itself: that it sees what would go wrong on a device. Each kernel here is wrong on purpose.

#if defined(LOCRET_EMULATED)

#include <cmath>
#include <cstdint>
#include <new>

#include <sys/mman.h>

#include "device/launch.cuh"
#include "device/stream.h"
#include "device/tensor-core.cuh"
#include "device/warp.cuh"
#include "test/check/check.h"
#include "test/emulation/device-memory.h"
#include "test/emulation/grid.h"

namespace locret::check {

namespace {

using emulation::ThreadOrder;
using emulation::Violation;

__global__ void returnsBeforeBarrier() {
  if (threadIdx.x < 7) return;
  __syncthreads();
}

__global__ void waitsAtTwoBarriers() {
  if (threadIdx.x % 2 == 0) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void shufflesWithHalfAWarp(int* output) {
  if (threadIdx.x < 16) output[threadIdx.x] = __shfl_xor_sync(allLanes, 1, 1);
}

[[maybe_unused]] __global__ void writesBehindShared() {
  LOCRET_DYNAMIC_SHARED(float, shared);
  shared[threadIdx.x + 1] = 1.0f;
}

[[maybe_unused]] __global__ void writesBehind(float* output, int count) { output[threadIdx.x + count] = 1.0f; }

// Thread t reads what thread t + 1 writes, without a barrier between.
__global__ void readsWithoutBarrier(int* output) {
  __shared__ int shared[64];
  shared[threadIdx.x] = 1;
  output[threadIdx.x] = shared[(threadIdx.x + 1) % 64];
}

__global__ void readsUnwrittenShared(float* output) {
  __shared__ float shared[32];
  LOCRET_DYNAMIC_SHARED(float, dynamic);
  output[threadIdx.x] = threadIdx.x % 2 == 0 ? shared[threadIdx.x] : dynamic[threadIdx.x];
  // What one block leaves must not be there for the next.
  shared[threadIdx.x] = dynamic[threadIdx.x] = 1.0f;
}

__global__ void readsCopyWithoutWaiting(const float* input, float* output) {
  __shared__ __align__(16) float shared[128];
  beginCopy16(shared + 4 * threadIdx.x, input + 4 * threadIdx.x);
  commitCopies();
  beginCopy16(shared + 64, input + 64);
  commitCopies();
  waitForCopies<2>();
  output[threadIdx.x] = shared[4 * threadIdx.x];
}

__global__ void setsOne(float* output) { output[threadIdx.x] = 1.0f; }

struct Nested {
  float* output;
};

__global__ void setsOneIn(Nested nested) { nested.output[threadIdx.x] = 1.0f; }

template <class Call>
void expectViolation(Report& report, const char* sizes, const std::string& part, Call call) {
  try {
    call();
  } catch (const Violation& violation) {
    const std::string message = violation.what();
    if (message.find(part) == std::string::npos) std::printf("  %s\n", message.c_str());
    report.expect(sizes, message.find(part) != std::string::npos);
    return;
  }
  report.expect(sizes, false);
}

bool allNaN(const std::vector<float>& values) {
  for (const float value : values) {
    if (!std::isnan(value)) return false;
  }
  return true;
}

void checkBarriers(Report& report) {
  expectViolation(report, "a thread returns before a barrier", "emulation.cu", [] {
    launch(returnsBeforeBarrier, 1, 64, 0, cudaStream_t{});
  });
  expectViolation(report, "threads wait at two barriers", "different barriers", [] {
    launch(waitsAtTwoBarriers, 1, 64, 0, cudaStream_t{});
  });
  expectViolation(report, "half a warp shuffles for the whole", "a warp function", [] {
    const DeviceArray<int> output(32);
    launch(shufflesWithHalfAWarp, 1, 32, 0, cudaStream_t{}, output.data());
  });
  const DeviceArray<int> output(64);
  bool seen = false;
  const ThreadOrder usual = emulation::threadOrder();
  for (const ThreadOrder order : {ThreadOrder::ascending, ThreadOrder::descending, ThreadOrder::shuffled}) {
    emulation::setThreadOrder(order);
    launch(readsWithoutBarrier, 1, 64, 0, cudaStream_t{}, output.data());
    for (const int value : output.download()) seen = seen || value != 1;
  }
  emulation::setThreadOrder(usual);
  report.expect("a barrier is missing between write and read", seen);
}

void checkMemory(Report& report) {
#if !defined(__SANITIZE_ADDRESS__)
  expectViolation(report, "a write behind dynamic shared memory", "behind its 128 bytes", [] {
    launch(writesBehindShared, 1, 32, 128, cudaStream_t{});
  });
  {
    DeviceArray<float> output(32);
    expectViolation(report, "a write behind an allocation", "around a device allocation", [&] {
      launch(writesBehind, 1, 32, 0, cudaStream_t{}, output.data(), 1);
    });
    // Repairs the guard, or every later check would see it.
    const emulation::DeviceAccess access;
    std::memset(output.data() + 32, 0xa5, sizeof(float));
  }
#endif
  const DeviceArray<float> output(64);
  launch(readsUnwrittenShared, 2, 32, 128, cudaStream_t{}, output.data());
  report.expect("shared memory is not what the last block left", allNaN([&] {
                  std::vector<float> first = output.download();
                  first.resize(32);
                  return first;
                }()));
  const DeviceArray<float> input(std::vector<float>(128, 1.0f));
  launch(readsCopyWithoutWaiting, 1, 32, 0, cudaStream_t{}, input.data(), output.data());
  const std::vector<float> copied = output.download();
  report.expect("a copy is read before it was waited for", allNaN({copied.begin(), copied.begin() + 32}));
}

/** Addresses of the host, reserved: among them is one whose lower half is no number that kernels are given. */
class HostAddresses {
 public:
  HostAddresses() : begin_(mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    if (begin_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~HostAddresses() { munmap(begin_, bytes); }
  HostAddresses(const HostAddresses&) = delete;
  HostAddresses& operator=(const HostAddresses&) = delete;

  /** An address with 0x80000000 in its lower half: neither a count nor a factor (test/emulation/kernel-arguments.cpp). */
  float* unmistakable() const {
    constexpr std::uintptr_t frame = std::uintptr_t{1} << 32;
    const auto first = reinterpret_cast<std::uintptr_t>(begin_);
    return reinterpret_cast<float*>((first + frame / 2 - 1) / frame * frame + frame / 2);
  }

 private:
  static constexpr std::size_t bytes = std::size_t{2} << 32;
  void* begin_;
};

void checkArguments(Report& report) {
  const HostAddresses addresses;
  float* const host = addresses.unmistakable();
  expectViolation(report, "a host pointer as an argument", "host memory", [&] {
    launch(setsOne, 1, 32, 0, cudaStream_t{}, host);
  });
  expectViolation(report, "a host pointer in a struct", "host memory", [&] {
    launch(setsOneIn, 1, 32, 0, cudaStream_t{}, Nested{host});
  });
  float* freed = DeviceArray<float>(32).data();
  expectViolation(report, "a pointer to freed memory", "not allocated", [&] {
    launch(setsOne, 1, 32, 0, cudaStream_t{}, freed);
  });
  expectViolation(report, "a copy whose target is host memory", "host memory", [&] {
    cudaMemcpy(host, host, 8, cudaMemcpyHostToDevice);
  });
  const DeviceArray<float> output(32);
  expectViolation(report, "a copy beyond an allocation", "do not lie in one allocation", [&] {
    cudaMemcpy(output.data(), host, 33 * sizeof(float), cudaMemcpyHostToDevice);
  });
  expectViolation(report, "a block of 33 threads", "multiple of 32", [&] {
    launch(setsOne, 1, 33, 0, cudaStream_t{}, output.data());
  });
  expectViolation(report, "a grid of 65,536 rows", "65,535", [&] {
    launch(setsOne, dim3(1, 65536), 32, 0, cudaStream_t{}, output.data());
  });
}

const Registration barriers{"emulation/barriers", checkBarriers};
const Registration memory{"emulation/memory", checkMemory};
const Registration arguments{"emulation/arguments", checkArguments};

}  // namespace

}  // namespace locret::check

#endif
