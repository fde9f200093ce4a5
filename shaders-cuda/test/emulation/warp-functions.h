#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <source_location>
#include <type_traits>

#include "test/emulation/block.h"

// Barriers of a block and of a warp, and what the lanes of a warp compute together.

namespace locret::emulation {

using Where = std::source_location;

template <class T>
struct Exchange {
  T value;
  int source;
  T result;
};

/** Every lane gets the value of the lane it names. */
template <class T>
T exchange(std::uint32_t mask, T value, int source, Where where) {
  Exchange<T> own{value, source, value};
  runTogether(
      mask, &own,
      [](void* const* lanes) {
        for (int lane = 0; lane < 32; ++lane) {
          if (lanes[lane] == nullptr) continue;
          auto* exchanged = static_cast<Exchange<T>*>(lanes[lane]);
          const auto* source = static_cast<const Exchange<T>*>(lanes[exchanged->source]);
          if (source == nullptr) fail("A shuffle reads a lane that its mask does not name.");
          exchanged->result = source->value;
        }
      },
      where);
  return own.result;
}

template <class T>
struct Reduction {
  T value;
  T result;
};

/** Every lane gets `combine` over the values of all lanes of the mask. */
template <class T, class Combine>
T reduce(std::uint32_t mask, T value, Combine, Where where) {
  static_assert(std::is_empty_v<Combine>);
  Reduction<T> own{value, value};
  runTogether(
      mask, &own,
      [](void* const* lanes) {
        T total{};
        bool first = true;
        for (int lane = 0; lane < 32; ++lane) {
          if (lanes[lane] == nullptr) continue;
          const T next = static_cast<Reduction<T>*>(lanes[lane])->value;
          total = first ? next : Combine{}(total, next);
          first = false;
        }
        for (int lane = 0; lane < 32; ++lane) {
          if (lanes[lane] != nullptr) static_cast<Reduction<T>*>(lanes[lane])->result = total;
        }
      },
      where);
  return own.result;
}

inline std::uint32_t ballot(std::uint32_t mask, bool predicate, Where where) {
  const std::uint32_t bit = predicate ? 1u << currentThread->lane : 0u;
  return emulation::reduce(mask, bit, [](std::uint32_t a, std::uint32_t b) { return a | b; }, where);
}

}  // namespace locret::emulation

inline void __syncthreads(locret::emulation::Where where = locret::emulation::Where::current()) {
  locret::emulation::synchronizeBlock(false, where);
}

inline int __syncthreads_count(int predicate, locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::synchronizeBlock(predicate != 0, where);
}

inline int __syncthreads_or(int predicate, locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::synchronizeBlock(predicate != 0, where) != 0 ? 1 : 0;
}

inline int __syncthreads_and(int predicate, locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::synchronizeBlock(predicate == 0, where) == 0 ? 1 : 0;
}

inline void __syncwarp(unsigned int mask = 0xffffffffu,
                       locret::emulation::Where where = locret::emulation::Where::current()) {
  locret::emulation::ballot(mask, false, where);
}

template <class T>
T __shfl_sync(unsigned int mask, T value, int source, int width = 32,
              locret::emulation::Where where = locret::emulation::Where::current()) {
  const int lane = static_cast<int>(locret::emulation::currentThread->lane);
  return locret::emulation::exchange(mask, value, (lane & -width) + (source & (width - 1)), where);
}

template <class T>
T __shfl_up_sync(unsigned int mask, T value, unsigned int delta, int width = 32,
                 locret::emulation::Where where = locret::emulation::Where::current()) {
  const int lane = static_cast<int>(locret::emulation::currentThread->lane);
  const int source = lane - static_cast<int>(delta);
  return locret::emulation::exchange(mask, value, source < (lane & -width) ? lane : source, where);
}

template <class T>
T __shfl_down_sync(unsigned int mask, T value, unsigned int delta, int width = 32,
                   locret::emulation::Where where = locret::emulation::Where::current()) {
  const int lane = static_cast<int>(locret::emulation::currentThread->lane);
  const int source = lane + static_cast<int>(delta);
  return locret::emulation::exchange(mask, value, source >= (lane & -width) + width ? lane : source, where);
}

template <class T>
T __shfl_xor_sync(unsigned int mask, T value, int laneMask, int width = 32,
                  locret::emulation::Where where = locret::emulation::Where::current()) {
  const int lane = static_cast<int>(locret::emulation::currentThread->lane);
  const int source = lane ^ laneMask;
  return locret::emulation::exchange(mask, value, source >= (lane & -width) + width ? lane : source, where);
}

inline unsigned int __ballot_sync(unsigned int mask, int predicate,
                                  locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::ballot(mask, predicate != 0, where);
}

inline int __any_sync(unsigned int mask, int predicate,
                      locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::ballot(mask, predicate != 0, where) != 0 ? 1 : 0;
}

inline int __all_sync(unsigned int mask, int predicate,
                      locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::ballot(mask, predicate == 0, where) == 0 ? 1 : 0;
}

template <class T>
unsigned int __match_any_sync(unsigned int mask, T value,
                              locret::emulation::Where where = locret::emulation::Where::current()) {
  struct Match {
    T value;
    unsigned int equal;
  } own{value, 0};
  locret::emulation::runTogether(
      mask, &own,
      [](void* const* lanes) {
        for (int lane = 0; lane < 32; ++lane) {
          if (lanes[lane] == nullptr) continue;
          auto* match = static_cast<Match*>(lanes[lane]);
          for (int other = 0; other < 32; ++other) {
            if (lanes[other] != nullptr && static_cast<Match*>(lanes[other])->value == match->value) {
              match->equal |= 1u << other;
            }
          }
        }
      },
      where);
  return own.equal;
}

template <class T>
T __reduce_add_sync(unsigned int mask, T value,
                    locret::emulation::Where where = locret::emulation::Where::current()) {
  using Unsigned = std::make_unsigned_t<T>;
  const auto add = [](Unsigned a, Unsigned b) { return static_cast<Unsigned>(a + b); };
  return static_cast<T>(locret::emulation::reduce(mask, static_cast<Unsigned>(value), add, where));
}

template <class T>
T __reduce_min_sync(unsigned int mask, T value,
                    locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::reduce(mask, value, [](T a, T b) { return std::min(a, b); }, where);
}

template <class T>
T __reduce_max_sync(unsigned int mask, T value,
                    locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::reduce(mask, value, [](T a, T b) { return std::max(a, b); }, where);
}

inline unsigned int __reduce_or_sync(unsigned int mask, unsigned int value,
                                     locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::reduce(mask, value, [](unsigned int a, unsigned int b) { return a | b; }, where);
}

inline unsigned int __reduce_and_sync(unsigned int mask, unsigned int value,
                                      locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::reduce(mask, value, [](unsigned int a, unsigned int b) { return a & b; }, where);
}

inline unsigned int __reduce_xor_sync(unsigned int mask, unsigned int value,
                                      locret::emulation::Where where = locret::emulation::Where::current()) {
  return locret::emulation::reduce(mask, value, [](unsigned int a, unsigned int b) { return a ^ b; }, where);
}
