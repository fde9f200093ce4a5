#pragma once

#include <cstddef>
#include <cstdint>

namespace locret {

/**
 * Hands out aligned pieces of one allocation, one behind the other; without an allocation it only counts. So the same
 * function says how much memory something takes and lays it out.
 */
class Arena {
 public:
  /** @param memory null: pieces are counted, and all of them are null */
  explicit Arena(void* memory = nullptr) : memory_(static_cast<unsigned char*>(memory)) {}

  /** Room for `count` items of T. */
  template <typename T>
  T* take(std::size_t count) {
    return reinterpret_cast<T*>(takeBytes(count * sizeof(T)));
  }

  /** Null when `bytes` is 0. */
  void* takeBytes(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    const std::size_t begin = used_;
    used_ += (bytes + alignment - 1) / alignment * alignment;
    return memory_ == nullptr ? nullptr : memory_ + begin;
  }

  std::size_t bytes() const { return used_; }

 private:
  /** Of cudaMalloc: what every kernel may rely on. */
  static constexpr std::size_t alignment = 256;

  unsigned char* memory_;
  std::size_t used_ = 0;
};

}  // namespace locret
