#include "test/emulation/fiber.h"

#include <cstdint>
#include <cstdlib>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "Fibers are written for x86-64 and aarch64."
#endif

// Saves what the calling convention lets a function expect to keep, exchanges stack pointers, restores.
extern "C" void locretSwitchStack(void** saved, void* next);

#if defined(__x86_64__)
asm(R"(
.text
.globl locretSwitchStack
.hidden locretSwitchStack
.type locretSwitchStack, @function
locretSwitchStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size locretSwitchStack, .-locretSwitchStack
)");
#else
asm(R"(
.text
.globl locretSwitchStack
.hidden locretSwitchStack
.type locretSwitchStack, %function
locretSwitchStack:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size locretSwitchStack, .-locretSwitchStack
)");
#endif

namespace locret::emulation {

namespace {

// Where a new fiber finds itself, and where a sanitizer is told which stack was left.
thread_local Fiber* enteredFiber = nullptr;
thread_local Fiber* leftFiber = nullptr;

}  // namespace

Fiber::Fiber(std::size_t stackBytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  stackBytes_ = (stackBytes + page - 1) / page * page;
  mappedBytes_ = stackBytes_ + page;
  void* mapping = mmap(nullptr, mappedBytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(mapping);
  stackBottom_ = mapping_ + page;
  if (mprotect(stackBottom_, stackBytes_, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping_, mappedBytes_);
    throw std::bad_alloc();
  }
}

Fiber::~Fiber() {
  if (mapping_ != nullptr) munmap(mapping_, mappedBytes_);
}

void Fiber::start(void (*entry)(void*), void* argument) {
  entry_ = entry;
  argument_ = argument;
#if defined(__SANITIZE_ADDRESS__)
  // Marks around variables of the functions by which it finished before.
  constexpr std::size_t framesOfFinishing = 8192;
  ASAN_UNPOISON_MEMORY_REGION(stackBottom_ + stackBytes_ - framesOfFinishing, framesOfFinishing);
#endif
  auto* top = reinterpret_cast<std::uintptr_t*>(stackBottom_ + stackBytes_);
#if defined(__x86_64__)
  // From the top: a null return address, with the alignment that a call leaves, the entry, six registers.
  *--top = 0;
  *--top = reinterpret_cast<std::uintptr_t>(&Fiber::enter);
  for (int saved = 0; saved < 6; ++saved) *--top = 0;
#else
  top -= 20;
  for (int saved = 0; saved < 20; ++saved) top[saved] = 0;
  top[11] = reinterpret_cast<std::uintptr_t>(&Fiber::enter);
#endif
  stackPointer_ = top;
}

void Fiber::abandon() {
#if defined(__SANITIZE_ADDRESS__)
  // Marks around variables of functions that never return.
  ASAN_UNPOISON_MEMORY_REGION(stackBottom_, stackBytes_);
#endif
}

void Fiber::jump(Fiber& next, [[maybe_unused]] bool finished) {
  enteredFiber = &next;
  leftFiber = this;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(finished ? nullptr : &sanitizerStack_, next.stackBottom_, next.stackBytes_);
#endif
  locretSwitchStack(&stackPointer_, next.stackPointer_);
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(sanitizerStack_, &bottom, &bytes);
  // The stack of the thread itself is only known once it has been left.
  if (leftFiber->mapping_ == nullptr) {
    leftFiber->stackBottom_ = static_cast<std::byte*>(const_cast<void*>(bottom));
    leftFiber->stackBytes_ = bytes;
  }
#endif
}

void Fiber::switchTo(Fiber& next) { jump(next, false); }

void Fiber::finishInto(Fiber& next) {
  jump(next, true);
  std::abort();
}

void Fiber::enter() {
  Fiber* self = enteredFiber;
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
  if (leftFiber->mapping_ == nullptr) {
    leftFiber->stackBottom_ = static_cast<std::byte*>(const_cast<void*>(bottom));
    leftFiber->stackBytes_ = bytes;
  }
#endif
  self->entry_(self->argument_);
  std::abort();
}

}  // namespace locret::emulation
