#include "test/emulation/device-memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

#include "test/emulation/block.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace locret::emulation {

namespace {

constexpr std::size_t reservedBytes = std::size_t{1} << 40;
constexpr std::size_t guardBytes = 256;
constexpr std::size_t alignment = 256;
constexpr int poison = 0xff;
constexpr std::byte guardValue{0xa5};
constexpr std::size_t manyAllocations = 64;

// Device memory, with every access to its books under one lock.
struct Memory {
  std::mutex mutex;
  std::byte* begin = nullptr;
  // Everything before it has been handed out at some time and is mapped.
  std::byte* next = nullptr;
  std::size_t page = 0;
  std::size_t capacity = 0;
  std::size_t inUse = 0;
  std::map<std::byte*, std::size_t> allocations;
  // Allocations up to the one that is to fail; negative: none is.
  int untilFailure = -1;
  bool isProtected = false;
  int accesses = 0;

  Memory() {
    page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    constexpr std::size_t spare = std::size_t{2} << 32;
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* mapping = mmap(nullptr, reservedBytes + spare, PROT_NONE, flags, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    // Not at a multiple of 2^32, where addresses look like small numbers in their lower half (kernel-arguments.cpp).
    const auto address = reinterpret_cast<std::uintptr_t>(mapping);
    const std::uintptr_t frame = std::uintptr_t{1} << 32;
    begin = next = reinterpret_cast<std::byte*>((address + frame - 1) / frame * frame + frame / 4 * 3);
    const char* wanted = std::getenv("LOCRET_EMULATED_DEVICE_BYTES");
    capacity = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : std::size_t{8} << 30;
  }

  /** The pages of an allocation, guards included. */
  std::size_t mappedBytes(std::size_t bytes) const;

  /** A call for each run of allocations that lie side by side. */
  void setAccessOfRuns(int protection) {
    std::byte* first = nullptr;
    std::size_t length = 0;
    for (const auto& [pointer, bytes] : allocations) {
      std::byte* begin = pointer - guardBytes;
      if (begin != first + length) {
        if (length > 0) mprotect(first, length, protection);
        first = begin;
        length = 0;
      }
      length += mappedBytes(bytes);
    }
    mprotect(first, length, protection);
  }

  void setAccess(int protection) {
    if (allocations.empty()) return;
    // The system walks over all pages between: many freed ones cost more than a call for each run of allocations.
    if (allocations.size() <= manyAllocations) {
      setAccessOfRuns(protection);
      return;
    }
    std::byte* first = allocations.begin()->first - guardBytes;
    mprotect(first, static_cast<std::size_t>(next - first), protection);
  }
};

// Never destroyed: static buffers of the program may be freed after it would have been.
Memory& memory() {
  static auto* instance = new Memory;
  return *instance;
}

std::size_t roundUp(std::size_t bytes, std::size_t multiple) { return (bytes + multiple - 1) / multiple * multiple; }

std::size_t Memory::mappedBytes(std::size_t bytes) const {
  return roundUp(guardBytes + roundUp(bytes, alignment) + guardBytes, page);
}

// Must be called with access to the memory.
bool guardsWhole(const std::byte* pointer, std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  // The sanitizer stops at the access itself.
  static_cast<void>(pointer);
  static_cast<void>(bytes);
  return true;
#else
  const auto isGuard = [](std::byte value) { return value == guardValue; };
  return std::all_of(pointer - guardBytes, pointer, isGuard) &&
         std::all_of(pointer + bytes, pointer + bytes + guardBytes, isGuard);
#endif
}

}  // namespace

std::size_t deviceCapacity() { return memory().capacity; }

std::size_t deviceBytesInUse() { return memory().inUse; }

void setDeviceCapacity(std::size_t bytes) { memory().capacity = bytes; }

void failAllocation(int before) {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  all.untilFailure = before;
}

bool isAllocationToFail() {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  return all.untilFailure >= 0 && all.untilFailure-- == 0;
}

void* allocateDevice(std::size_t bytes) {
  if (isAllocationToFail()) return nullptr;
  DeviceAccess access;
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  if (bytes > all.capacity - std::min(all.capacity, all.inUse)) return nullptr;
  const std::size_t mapped = all.mappedBytes(bytes);
  if (mapped > static_cast<std::size_t>(all.begin + reservedBytes - all.next)) return nullptr;
  if (mprotect(all.next, mapped, PROT_READ | PROT_WRITE) != 0) return nullptr;
  std::byte* pointer = all.next + guardBytes;
  std::memset(all.next, static_cast<int>(guardValue), mapped);
  std::memset(pointer, poison, bytes);
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(all.next, guardBytes);
  ASAN_POISON_MEMORY_REGION(pointer + bytes, mapped - guardBytes - bytes);
#endif
  all.next += mapped;
  all.inUse += bytes;
  all.allocations.emplace(pointer, bytes);
  return pointer;
}

bool freeDevice(void* pointer) {
  DeviceAccess access;
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  const auto found = all.allocations.find(static_cast<std::byte*>(pointer));
  if (found == all.allocations.end()) return false;
  const auto [begin, bytes] = *found;
  const bool whole = guardsWhole(begin, bytes);
  all.inUse -= bytes;
  all.allocations.erase(found);
  // The addresses stay taken, so that a stale pointer never points to something new; the pages go back.
  const std::size_t mapped = all.mappedBytes(bytes);
  madvise(begin - guardBytes, mapped, MADV_DONTNEED);
  mprotect(begin - guardBytes, mapped, PROT_NONE);
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(begin, bytes);
#endif
  if (!whole) throw Violation("Something was written around an allocation of " + std::to_string(bytes) + " bytes.");
  return true;
}

bool isDeviceAddress(const void* pointer) {
  const Memory& all = memory();
  const auto* address = static_cast<const std::byte*>(pointer);
  return address >= all.begin && address < all.begin + reservedBytes;
}

bool isAllocated(const void* pointer, std::size_t bytes) {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  auto* address = static_cast<std::byte*>(const_cast<void*>(pointer));
  auto after = all.allocations.upper_bound(address);
  if (after == all.allocations.begin()) return false;
  --after;
  return address + bytes <= after->first + after->second;
}

void checkGuards(const std::string& after) {
  DeviceAccess access;
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  for (const auto& [begin, bytes] : all.allocations) {
    if (guardsWhole(begin, bytes)) continue;
    throw Violation("Something was written around a device allocation of " + std::to_string(bytes) + " bytes by " +
                    after + ".");
  }
}

DeviceAccess::DeviceAccess() {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  if (all.accesses++ == 0 && all.isProtected) all.setAccess(PROT_READ | PROT_WRITE);
}

DeviceAccess::~DeviceAccess() {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  if (--all.accesses == 0 && all.isProtected) all.setAccess(PROT_NONE);
}

void protectDevice(bool isProtected) {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  all.isProtected = isProtected;
  if (all.accesses == 0) all.setAccess(isProtected ? PROT_NONE : PROT_READ | PROT_WRITE);
}

}  // namespace locret::emulation
