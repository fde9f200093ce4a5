#include "test/emulation/kernel-arguments.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "test/emulation/block.h"
#include "test/emulation/device-memory.h"

namespace locret::emulation {

namespace {

// Smaller words are numbers. AddressSanitizer has pages of its own below, which two counts in a row may seem to name.
#if defined(__SANITIZE_ADDRESS__) && defined(__x86_64__)
constexpr std::uintptr_t lowestPointer = 0x10007fff8000u;
#else
constexpr std::uintptr_t lowestPointer = std::uintptr_t{1} << 32;
#endif
constexpr int addressBits = 47;
// Padding after a count may hold the upper half of what lay there before. (GCC 12's __builtin_clear_padding also clears
// fields that are no padding.)
constexpr std::uint32_t largestCount = 1u << 24;
// So may padding behind a float32: a factor or a small constant, 2^-40 to 2^24.
constexpr std::uint32_t smallestFactor = 0x2b800000u;
constexpr std::uint32_t largestFactor = 0x4b800000u;

/** Whether a word can be a 32-bit number and what lay in the padding behind it. */
bool mayBeNumber(std::uintptr_t word) {
  const auto lower = static_cast<std::uint32_t>(word);
  return lower < largestCount || (lower >= smallestFactor && lower <= largestFactor);
}

bool isMapped(std::uintptr_t address) {
  static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  unsigned char resident = 0;
  return mincore(reinterpret_cast<void*>(address / page * page), 1, &resident) == 0;
}

}  // namespace

void checkArgument(const void* argument, std::size_t bytes, int number, std::source_location where) {
  const auto* words = static_cast<const std::byte*>(argument);
  for (std::size_t offset = 0; offset + sizeof(std::uintptr_t) <= bytes; offset += sizeof(std::uintptr_t)) {
    std::uintptr_t word = 0;
    std::memcpy(&word, words + offset, sizeof word);
    if (word < lowestPointer || word >> addressBits != 0 || mayBeNumber(word)) continue;
    const void* pointer = reinterpret_cast<const void*>(word);
    const bool onDevice = isDeviceAddress(pointer);
    // One past the end of an allocation is where an empty range may point.
    if (onDevice ? isAllocated(pointer, 0) : !isMapped(word)) continue;
    char text[64];
    std::snprintf(text, sizeof text, "holds %p at byte %zu", pointer, offset);
    throw Violation("Argument " + std::to_string(number) + " of the kernel launched at " + where.file_name() + ":" +
                    std::to_string(where.line()) + " " + text +
                    (onDevice ? ", device memory that is not allocated." : ", a pointer to host memory."));
  }
}

}  // namespace locret::emulation
