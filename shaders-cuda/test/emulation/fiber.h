#pragma once

#include <cstddef>

namespace locret::emulation {

/**
 * A thread of execution with a stack of its own that runs until it hands over to another one. One fiber stands for one
 * CUDA thread; hundreds of them share one thread of the processor, and a switch takes a few nanoseconds.
 */
class Fiber {
 public:
  /** A fiber without a stack: it stands for the thread that creates it, so that fibers can switch back to it. */
  Fiber() = default;
  /** A fiber with a stack, guarded by an inaccessible page below it. */
  explicit Fiber(std::size_t stackBytes);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /** Makes the next switch to this fiber call `entry(argument)` on an empty stack. `entry` must never return. */
  void start(void (*entry)(void*), void* argument);

  /** Forgets what it was doing, so that it can be started anew. Nothing on its stack is destroyed. */
  void abandon();

  /** Goes on with `next`; returns when something switches back to this fiber, which must be the running one. */
  void switchTo(Fiber& next);

  /** Like switchTo, for a fiber that is at its end and will be started anew or never again. */
  [[noreturn]] void finishInto(Fiber& next);

 private:
  void jump(Fiber& next, bool finished);
  static void enter();

  void* stackPointer_ = nullptr;
  std::byte* mapping_ = nullptr;
  std::size_t mappedBytes_ = 0;
  std::byte* stackBottom_ = nullptr;
  std::size_t stackBytes_ = 0;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  void* sanitizerStack_ = nullptr;
};

}  // namespace locret::emulation
