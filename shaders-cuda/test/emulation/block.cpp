#include "test/emulation/block.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>

#include <link.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace locret::emulation {

constinit thread_local Thread* currentThread = nullptr;

namespace {

constexpr std::size_t warpSize = 32;
// The most that one block may ask for on every architecture the engine is built for.
constexpr std::size_t sharedLimit = 99 * 1024;
constexpr std::size_t sharedGuard = 256;
constexpr std::size_t sharedAlignment = 128;
constexpr int poison = 0xff;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stackBytes = 512 * 1024;
#else
constexpr std::size_t stackBytes = 128 * 1024;
#endif

std::string place(std::source_location where) {
  return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

std::string coordinates(uint3 index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " + std::to_string(index.z) + ")";
}

// The block of thread-local variables, as the calling thread has it, of the program or library this code is in.
std::span<std::byte> ownThreadLocals() {
  // Touching one of them makes the loader create the block.
  auto* const known = reinterpret_cast<std::byte*>(&currentThread);
  struct Search {
    std::byte* known;
    std::span<std::byte> found;
  } search{known, {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto* wanted = static_cast<Search*>(data);
        for (int segment = 0; segment < info->dlpi_phnum; ++segment) {
          if (info->dlpi_phdr[segment].p_type != PT_TLS || info->dlpi_tls_data == nullptr) continue;
          auto* begin = static_cast<std::byte*>(info->dlpi_tls_data);
          const std::size_t bytes = info->dlpi_phdr[segment].p_memsz;
          if (wanted->known < begin || wanted->known >= begin + bytes) continue;
          wanted->found = {begin, bytes};
          return 1;
        }
        return 0;
      },
      &search);
  return search.found;
}

}  // namespace

/** 32 threads that run a collective together. */
struct Warp {
  std::array<Thread*, warpSize> threads{};
  std::array<void*, warpSize> payloads{};
  std::array<std::uint32_t, warpSize> masks{};
  std::array<Collective, warpSize> computes{};
  std::uint32_t waiting = 0;
};

BlockRunner::BlockRunner() : threadLocals_(ownThreadLocals()) {
  // Not aligned to more than is promised, so that what relies on more is seen.
  constexpr std::size_t bytes = (sharedAlignment + sharedLimit + sharedGuard + 1023) / 1024 * 1024;
  sharedAllocation_ = static_cast<std::byte*>(std::aligned_alloc(1024, bytes));
  if (sharedAllocation_ == nullptr) throw std::bad_alloc();
  shared_ = sharedAllocation_ + sharedAlignment;
}

BlockRunner::~BlockRunner() {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(shared_, sharedLimit + sharedGuard);
#endif
  std::free(sharedAllocation_);
}

// __shared__ variables are thread-local ones. All of this library's are made NaN, except what the emulation needs.
void BlockRunner::poisonStaticShared() {
  Thread* const thread = currentThread;
  std::memset(threadLocals_.data(), poison, threadLocals_.size());
  currentThread = thread;
}

void BlockRunner::prepare(const Launch& launch, uint3 blockIndex, ThreadOrder order, std::uint64_t seed) {
  launch_ = &launch;
  blockIndex_ = blockIndex;
  threadCount_ = static_cast<std::size_t>(launch.block.x) * launch.block.y * launch.block.z;
  while (threads_.size() < threadCount_) threads_.push_back(std::make_unique<Thread>(stackBytes));
  while (warps_.size() < threadCount_ / warpSize) warps_.push_back(std::make_unique<Warp>());
  for (std::size_t warp = 0; warp < threadCount_ / warpSize; ++warp) warps_[warp]->waiting = 0;

  order_.resize(threadCount_);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (order == ThreadOrder::descending) std::reverse(order_.begin(), order_.end());
  if (order == ThreadOrder::shuffled) {
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed % 0x7ffffffe + 1));
    std::shuffle(order_.begin(), order_.end(), random);
  }
  ready_.resize(threadCount_);
  firstReady_ = readyCount_ = returnedCount_ = atBarrier_ = 0;
  barrierCount_ = 0;
  violation_.clear();

  for (std::size_t number = 0; number < threadCount_; ++number) {
    Thread& thread = *threads_[number];
    thread.runner = this;
    thread.warp = warps_[number / warpSize].get();
    thread.lane = static_cast<unsigned int>(number % warpSize);
    thread.warp->threads[thread.lane] = &thread;
    thread.threadIndex = {static_cast<unsigned int>(number % launch.block.x),
                          static_cast<unsigned int>(number / launch.block.x % launch.block.y),
                          static_cast<unsigned int>(number / launch.block.x / launch.block.y)};
    thread.blockIndex = blockIndex;
    thread.blockSize = launch.block;
    thread.gridSize = launch.grid;
    thread.copies.clear();
    thread.firstCopy = thread.openGroup = 0;
    thread.waitsAt = nullptr;
    thread.returned = false;
    thread.fiber.start(&BlockRunner::enterThread, &thread);
  }
  for (const std::size_t number : order_) makeReady(*threads_[number]);
}

void BlockRunner::run(const Launch& launch, uint3 blockIndex, ThreadOrder order, std::uint64_t seed) {
  prepare(launch, blockIndex, order, seed);
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(shared_, sharedLimit + sharedGuard);
#endif
  std::memset(shared_, poison, launch.sharedBytes + sharedGuard);
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(shared_ + launch.sharedBytes, sharedLimit + sharedGuard - launch.sharedBytes);
#endif
  poisonStaticShared();

  scheduler_.switchTo(takeReady().fiber);
  currentThread = nullptr;

  if (violation_.empty()) {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(shared_, sharedLimit + sharedGuard);
#endif
    const auto* guard = shared_ + launch.sharedBytes;
    const auto isPoison = [](std::byte value) { return value == std::byte{poison}; };
    const bool whole = std::all_of(guard, guard + sharedGuard, isPoison);
    if (!whole) {
      violation_ = "The kernel launched at " + place(launch.where) + " wrote behind its " +
                   std::to_string(launch.sharedBytes) + " bytes of dynamic shared memory in block " +
                   coordinates(blockIndex) + ".";
    }
  }
  if (violation_.empty()) return;
  for (const auto& thread : threads_) thread->fiber.abandon();
  throw Violation(violation_);
}

void BlockRunner::enterThread(void* argument) {
  auto* thread = static_cast<Thread*>(argument);
  BlockRunner& runner = *thread->runner;
  try {
    runner.launch_->kernel();
    thread->returned = true;
    ++runner.returnedCount_;
    if (runner.readyCount_ == 0 && runner.returnedCount_ < runner.threadCount_) fail(runner.describeWaiting());
  } catch (const Violation& violation) {
    // The other threads are never resumed.
    runner.violation_ = violation.what();
  }
  if (runner.readyCount_ == 0 || !runner.violation_.empty()) thread->fiber.finishInto(runner.scheduler_);
  thread->fiber.finishInto(runner.takeReady().fiber);
}

void BlockRunner::makeReady(Thread& thread) {
  thread.waitsAt = nullptr;
  std::size_t slot = firstReady_ + readyCount_;
  if (slot >= threadCount_) slot -= threadCount_;
  ready_[slot] = &thread;
  ++readyCount_;
}

Thread& BlockRunner::takeReady() {
  Thread& next = *ready_[firstReady_];
  if (++firstReady_ == threadCount_) firstReady_ = 0;
  --readyCount_;
  currentThread = &next;
  return next;
}

void BlockRunner::waitAt(const char* waitsAt, std::source_location where) {
  Thread& self = *currentThread;
  self.waitsAt = waitsAt;
  self.waitsWhere = where;
  if (readyCount_ == 0) fail(describeWaiting());
  self.fiber.switchTo(takeReady().fiber);
}

std::string BlockRunner::describeWaiting() const {
  for (std::size_t number = 0; number < threadCount_; ++number) {
    const Thread& thread = *threads_[number];
    if (thread.waitsAt == nullptr) continue;
    const auto others = std::count_if(threads_.begin(), threads_.begin() + static_cast<std::ptrdiff_t>(threadCount_),
                                      [&](const auto& other) {
                                        return other->waitsAt != nullptr &&
                                               other->waitsWhere.line() == thread.waitsWhere.line();
                                      });
    return "Threads went different ways: thread " + coordinates(thread.threadIndex) + " waits at " + thread.waitsAt +
           " (" + place(thread.waitsWhere) + ") with " + std::to_string(others - 1) + " others, while " +
           std::to_string(returnedCount_) + " of " + std::to_string(threadCount_) + " have returned.";
  }
  return "No thread can go on.";
}

std::string describeThread() {
  const Thread& self = *currentThread;
  return "Kernel launched at " + place(self.runner->launch_->where) + ", block " + coordinates(self.blockIndex) +
         ", thread " + coordinates(self.threadIndex) + ".";
}

void fail(const std::string& message) { throw Violation(message + " " + describeThread()); }

int synchronizeBlock(bool predicate, std::source_location where) {
  BlockRunner& runner = *currentThread->runner;
  if (runner.atBarrier_ == 0) {
    runner.barrierWhere_ = where;
    runner.barrierCount_ = 0;
  } else if (runner.barrierWhere_.line() != where.line() ||
             std::strcmp(runner.barrierWhere_.file_name(), where.file_name()) != 0) {
    fail("Threads of a block wait at different barriers: " + place(runner.barrierWhere_) + " and " + place(where) +
         ".");
  }
  runner.barrierCount_ += predicate ? 1 : 0;
  if (++runner.atBarrier_ < runner.threadCount_) {
    runner.waitAt("__syncthreads", where);
  } else {
    Thread& self = *currentThread;
    runner.atBarrier_ = 0;
    runner.lastBarrierCount_ = runner.barrierCount_;
    for (const std::size_t number : runner.order_) {
      if (runner.threads_[number].get() != &self) runner.makeReady(*runner.threads_[number]);
    }
  }
  return runner.lastBarrierCount_;
}

void runTogether(std::uint32_t mask, void* payload, Collective compute, std::source_location where) {
  Thread& self = *currentThread;
  Warp& warp = *self.warp;
  const std::uint32_t own = 1u << self.lane;
  if ((mask & own) == 0) fail("A lane calls a warp function (" + place(where) + ") whose mask does not name it.");
  warp.payloads[self.lane] = payload;
  warp.masks[self.lane] = mask;
  warp.computes[self.lane] = compute;
  warp.waiting |= own;
  if ((warp.waiting & mask) != mask) {
    self.runner->waitAt("a warp function", where);
    return;
  }
  std::array<void*, warpSize> lanes{};
  for (std::size_t lane = 0; lane < warpSize; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    if (warp.masks[lane] != mask || warp.computes[lane] != compute) {
      fail("Lanes of a warp call different functions, or with different masks: " + place(where) + " and " +
           place(warp.threads[lane]->waitsWhere) + ".");
    }
    lanes[lane] = warp.payloads[lane];
  }
  compute(lanes.data());
  warp.waiting &= ~mask;
  for (std::size_t number = 0; number < warpSize; ++number) {
    // Begins at another lane each time, so that what lacks a barrier is seen.
    const std::size_t lane = (number + self.lane + 1) % warpSize;
    if ((mask >> lane & 1) != 0 && lane != self.lane) self.runner->makeReady(*warp.threads[lane]);
  }
}

void* dynamicShared() { return currentThread->runner->shared_; }

}  // namespace locret::emulation
