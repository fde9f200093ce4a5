#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/emulation/fiber.h"
#include "test/emulation/include/vector_types.h"

namespace locret::emulation {

/** A kernel did what no CUDA device allows, or what leaves its result undefined. */
class Violation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/** One kernel launch. `kernel` calls the kernel function with its arguments; it is called once per thread. */
struct Launch {
  dim3 grid;
  dim3 block;
  std::size_t sharedBytes = 0;
  std::function<void()> kernel;
  /** Where the host launched it, for messages. */
  std::source_location where;
};

/** In which order the threads of a block run between two barriers. What depends on it lacks a barrier. */
enum class ThreadOrder { ascending, descending, shuffled };

/** A copy from global to shared memory that was begun and has not been waited for. */
struct PendingCopy {
  void* target;
  const void* source;
  std::size_t bytes;
  /** The rest becomes zero. */
  std::size_t validBytes;
  /** The number of its group in its thread. */
  std::size_t group;
};

class BlockRunner;
struct Warp;

/** One CUDA thread. */
struct Thread {
  explicit Thread(std::size_t stackBytes) : fiber(stackBytes) {}

  Fiber fiber;
  BlockRunner* runner = nullptr;
  Warp* warp = nullptr;
  unsigned int lane = 0;
  uint3 threadIndex{};
  uint3 blockIndex{};
  dim3 blockSize;
  dim3 gridSize;
  /** Copies that were begun, the oldest first; those before `firstCopy` are done. */
  std::vector<PendingCopy> copies;
  std::size_t firstCopy = 0;
  /** The number of the group that is still open. */
  std::size_t openGroup = 0;
  /** What it waits at, or null while it can run: "__syncthreads", "a warp function". */
  const char* waitsAt = nullptr;
  std::source_location waitsWhere;
  bool returned = false;
};

/** The thread that is running. Only in kernels. */
extern constinit thread_local Thread* currentThread;

/** Where the kernel of the running thread was launched, and which thread of which block it is. */
std::string describeThread();

/** Throws a Violation that names kernel, block and thread; it ends the launch. Only in kernels. */
[[noreturn]] void fail(const std::string& message);

/** A barrier of all threads of the block; returns for how many of them `predicate` held. */
int synchronizeBlock(bool predicate, std::source_location where);

/** What a warp computes together: `lanes[l]` is what lane l brought, null for lanes that do not take part. */
using Collective = void (*)(void* const* lanes);

/** Waits until all lanes of `mask` have called this; the last one computes for all. */
void runTogether(std::uint32_t mask, void* payload, Collective compute, std::source_location where);

/** The dynamic shared memory of the running block, aligned to 128 bytes, full of 0xff at its start. */
void* dynamicShared();

/** Runs blocks on the thread of the processor that owns it. */
class BlockRunner {
 public:
  /** Must run on the thread that will call run. */
  BlockRunner();
  ~BlockRunner();

  /** Runs all threads of one block; throws Violation. */
  void run(const Launch& launch, uint3 blockIndex, ThreadOrder order, std::uint64_t seed);

 private:
  friend std::string describeThread();
  friend int synchronizeBlock(bool, std::source_location);
  friend void runTogether(std::uint32_t, void*, Collective, std::source_location);
  friend void* dynamicShared();

  static void enterThread(void* thread);
  void prepare(const Launch& launch, uint3 blockIndex, ThreadOrder order, std::uint64_t seed);
  void poisonStaticShared();
  void makeReady(Thread& thread);
  void waitAt(const char* place, std::source_location where);
  Thread& takeReady();
  std::string describeWaiting() const;

  const Launch* launch_ = nullptr;
  uint3 blockIndex_{};
  Fiber scheduler_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::unique_ptr<Warp>> warps_;
  std::size_t threadCount_ = 0;
  std::vector<std::size_t> order_;
  // A ring: every thread is in it at most once.
  std::vector<Thread*> ready_;
  std::size_t firstReady_ = 0;
  std::size_t readyCount_ = 0;
  std::size_t returnedCount_ = 0;
  std::size_t atBarrier_ = 0;
  int barrierCount_ = 0;
  int lastBarrierCount_ = 0;
  std::source_location barrierWhere_;
  std::byte* sharedAllocation_ = nullptr;
  std::byte* shared_ = nullptr;
  std::span<std::byte> threadLocals_;
  std::string violation_;
};

}  // namespace locret::emulation
