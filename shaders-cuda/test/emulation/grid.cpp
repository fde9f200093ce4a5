#include "test/emulation/grid.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include "test/emulation/device-memory.h"

namespace locret::emulation {

namespace {

constexpr std::size_t threadsPerBlockLimit = 1024;
constexpr std::size_t sharedLimit = 99 * 1024;

// Threads of the processor that run nothing but blocks: their thread-local variables are the shared memory of kernels.
class Workers {
 public:
  Workers() {
    const char* wanted = std::getenv("LOCRET_EMULATION_THREADS");
    const unsigned long count =
        wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : std::thread::hardware_concurrency();
    for (unsigned long index = 0; index < std::max(count, 1ul); ++index) threads_.emplace_back([this] { work(); });
  }

  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    begun_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void run(const Launch& launch, ThreadOrder order) {
    const std::lock_guard oneLaunch(launching_);
    std::unique_lock lock(mutex_);
    launch_ = &launch;
    order_ = order;
    violation_.reset();
    blockCount_ = std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z;
    nextBlock_.store(0);
    busy_ = threads_.size();
    ++launchNumber_;
    begun_.notify_all();
    ended_.wait(lock, [this] { return busy_ == 0; });
    launch_ = nullptr;
    if (violation_) throw Violation(*violation_);
  }

 private:
  void work() {
    BlockRunner runner;
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      begun_.wait(lock, [&] { return ending_ || launchNumber_ != seen; });
      if (ending_) return;
      seen = launchNumber_;
      const Launch& launch = *launch_;
      lock.unlock();
      std::optional<std::string> violation;
      // Blocks begin in the order of their numbers, as on devices so far.
      for (std::size_t number = nextBlock_.fetch_add(1); number < blockCount_; number = nextBlock_.fetch_add(1)) {
        const uint3 index{static_cast<unsigned int>(number % launch.grid.x),
                          static_cast<unsigned int>(number / launch.grid.x % launch.grid.y),
                          static_cast<unsigned int>(number / launch.grid.x / launch.grid.y)};
        try {
          runner.run(launch, index, order_, seen * 0x9e3779b97f4a7c15u + number);
        } catch (const std::exception& error) {
          violation = error.what();
          nextBlock_.store(blockCount_);
        }
      }
      lock.lock();
      if (violation && !violation_) violation_ = violation;
      if (--busy_ == 0) ended_.notify_all();
    }
  }

  std::mutex launching_;
  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable ended_;
  std::vector<std::thread> threads_;
  const Launch* launch_ = nullptr;
  ThreadOrder order_ = ThreadOrder::shuffled;
  std::atomic<std::size_t> nextBlock_{0};
  std::size_t blockCount_ = 0;
  std::size_t busy_ = 0;
  std::uint64_t launchNumber_ = 0;
  std::optional<std::string> violation_;
  bool ending_ = false;
};

std::atomic<ThreadOrder> chosenOrder = ThreadOrder::shuffled;

void checkLimits(const Launch& launch) {
  const std::size_t threads = std::size_t{launch.block.x} * launch.block.y * launch.block.z;
  const std::string where = std::string(launch.where.file_name()) + ":" + std::to_string(launch.where.line());
  if (threads == 0 || threads > threadsPerBlockLimit || threads % 32 != 0 || launch.block.z > 64) {
    throw Violation("The launch at " + where + " has blocks of " + std::to_string(threads) +
                    " threads; expected a multiple of 32 up to 1,024.");
  }
  if (launch.grid.x == 0 || launch.grid.y == 0 || launch.grid.z == 0 || launch.grid.x > 0x7fffffff ||
      launch.grid.y > 65535 || launch.grid.z > 65535) {
    throw Violation("The launch at " + where + " has a grid of " + std::to_string(launch.grid.x) + " x " +
                    std::to_string(launch.grid.y) + " x " + std::to_string(launch.grid.z) +
                    " blocks; expected at least one each and at most 2^31-1, 65,535 and 65,535.");
  }
  if (launch.sharedBytes > sharedLimit) {
    throw Violation("The launch at " + where + " asks for " + std::to_string(launch.sharedBytes) +
                    " bytes of shared memory; the smallest device has " + std::to_string(sharedLimit) + ".");
  }
}

}  // namespace

void setThreadOrder(ThreadOrder order) { chosenOrder = order; }

ThreadOrder threadOrder() { return chosenOrder; }

void runGrid(const Launch& launch) {
  static Workers workers;
  checkLimits(launch);
  {
    const DeviceAccess access;
    workers.run(launch, chosenOrder);
  }
  checkGuards("the kernel launched at " + std::string(launch.where.file_name()) + ":" +
              std::to_string(launch.where.line()));
}

}  // namespace locret::emulation
