#pragma once

#include <atomic>

// Blocks run at the same time on several threads of the processor, so these are atomic indeed.

namespace locret::emulation {

/** Replaces the number at `address` by `combine` of it; returns the number before. */
template <class T, class Combine>
T atomicallyReplace(T* address, Combine combine) {
  const std::atomic_ref<T> target(*address);
  T before = target.load(std::memory_order_relaxed);
  while (!target.compare_exchange_weak(before, combine(before), std::memory_order_seq_cst)) {
  }
  return before;
}

}  // namespace locret::emulation

template <class T>
T atomicAdd(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T before) { return static_cast<T>(before + value); });
}

template <class T>
T atomicSub(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T before) { return static_cast<T>(before - value); });
}

template <class T>
T atomicMin(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T before) { return value < before ? value : before; });
}

template <class T>
T atomicMax(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T before) { return before < value ? value : before; });
}

template <class T>
T atomicAnd(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T before) { return static_cast<T>(before & value); });
}

template <class T>
T atomicOr(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T before) { return static_cast<T>(before | value); });
}

template <class T>
T atomicXor(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T before) { return static_cast<T>(before ^ value); });
}

template <class T>
T atomicExch(T* address, T value) {
  return locret::emulation::atomicallyReplace(address, [=](T) { return value; });
}

template <class T>
T atomicCAS(T* address, T expected, T desired) {
  std::atomic_ref<T>(*address).compare_exchange_strong(expected, desired, std::memory_order_seq_cst);
  return expected;
}

/** Adds one, and begins at zero again after `limit`. */
inline unsigned int atomicInc(unsigned int* address, unsigned int limit) {
  return locret::emulation::atomicallyReplace(
      address, [=](unsigned int before) { return before >= limit ? 0u : before + 1u; });
}

inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() { std::atomic_signal_fence(std::memory_order_seq_cst); }
