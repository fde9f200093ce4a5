#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#if defined(LOCRET_EMULATED)
#include <source_location>

#include "test/emulation/tensor-core.h"
#endif

// Matrix products of a warp, and what feeds them. All 32 lanes call these together.
// In what follows group = lane / 4 and member = lane % 4.

namespace locret {

/**
 * D += A · B of one warp: A is 16 x 16, B 16 x 8, both of T (bfloat16 or float16), D 16 x 8 in float32; 4,096 FLOPs.
 * Register r of `a` holds row group + 8 * (r % 2), columns 2 * member + 8 * (r / 2) and the next; register r of `b`
 * rows 2 * member + 8 * r and the next of column group; number i of `d` is row group + 8 * (i / 2), column
 * 2 * member + i % 2.
 * PTX: mma.sync.aligned.m16n8k16.
 */
template <class T>
__device__ __forceinline__ void multiplyM16N8K16(float (&d)[4], const std::uint32_t (&a)[4],
                                                 const std::uint32_t (&b)[2]) {
  static_assert(std::is_same_v<T, __nv_bfloat16> || std::is_same_v<T, __half>);
#if defined(LOCRET_EMULATED)
  emulation::multiplyM16N8K16(
      std::is_same_v<T, __half> ? emulation::Sixteen::float16 : emulation::Sixteen::bfloat16, d, a, b,
      std::source_location::current());
#else
  if constexpr (std::is_same_v<T, __half>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#endif
}

/**
 * D += A · B of one warp: A is 16 x 32, B 32 x 8 of signed bytes, D 16 x 8 in int32. Register r of `a` holds row
 * group + 8 * (r % 2), columns 4 * member + 16 * (r / 2) and the next three; register r of `b` rows 4 * member + 16 * r
 * and the next three of column group; `d` as above. PTX: mma.sync.aligned.m16n8k32.
 */
__device__ __forceinline__ void multiplyM16N8K32(std::int32_t (&d)[4], const std::uint32_t (&a)[4],
                                                 const std::uint32_t (&b)[2]) {
#if defined(LOCRET_EMULATED)
  emulation::multiplyM16N8K32(d, a, b, std::source_location::current());
#else
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

#if !defined(LOCRET_EMULATED)
/** The address of something in shared memory, as PTX names it. */
__device__ __forceinline__ std::uint32_t sharedAddress(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}
#endif

/**
 * Loads four 8 x 8 matrices of 16-bit elements from shared memory. Lane 8 * m + r names row r of matrix m: 16 bytes,
 * aligned to 16. Register m receives columns 2 * member and the next of row group of matrix m. PTX: ldmatrix.
 */
__device__ __forceinline__ void loadMatricesX4(std::uint32_t (&registers)[4], const void* row) {
#if defined(LOCRET_EMULATED)
  emulation::loadMatrices(4, false, registers, row, std::source_location::current());
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(sharedAddress(row))
               : "memory");
#endif
}

/** Like loadMatricesX4, each matrix transposed: rows 2 * member and the next of column group. */
__device__ __forceinline__ void loadMatricesX4Transposed(std::uint32_t (&registers)[4], const void* row) {
#if defined(LOCRET_EMULATED)
  emulation::loadMatrices(4, true, registers, row, std::source_location::current());
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(sharedAddress(row))
               : "memory");
#endif
}

/** Like loadMatricesX4 for two matrices; lanes 0..15 name rows. */
__device__ __forceinline__ void loadMatricesX2(std::uint32_t (&registers)[2], const void* row) {
#if defined(LOCRET_EMULATED)
  emulation::loadMatrices(2, false, registers, row, std::source_location::current());
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];\n"
               : "=r"(registers[0]), "=r"(registers[1])
               : "r"(sharedAddress(row))
               : "memory");
#endif
}

/** Like loadMatricesX4Transposed for two matrices; lanes 0..15 name rows. */
__device__ __forceinline__ void loadMatricesX2Transposed(std::uint32_t (&registers)[2], const void* row) {
#if defined(LOCRET_EMULATED)
  emulation::loadMatrices(2, true, registers, row, std::source_location::current());
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];\n"
               : "=r"(registers[0]), "=r"(registers[1])
               : "r"(sharedAddress(row))
               : "memory");
#endif
}

/**
 * Begins to copy 16 bytes from global to shared memory, both aligned to 16; zeros instead when not `valid` (`source` is
 * then not read, but must be aligned). The bytes are there after commitCopies and waitForCopies, for other threads
 * after a barrier behind that. PTX: cp.async.cg.
 */
__device__ __forceinline__ void beginCopy16(void* target, const void* source, bool valid = true) {
#if defined(LOCRET_EMULATED)
  emulation::beginCopy(target, source, 16, valid ? 16 : 0);
#else
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n"
               :
               : "r"(sharedAddress(target)), "l"(__cvta_generic_to_global(source)), "r"(valid ? 16 : 0)
               : "memory");
#endif
}

/** Like beginCopy16, for `bytes` = 4, 8 or 16 bytes that are aligned to as many. PTX: cp.async.ca. */
template <int bytes>
__device__ __forceinline__ void beginCopy(void* target, const void* source, bool valid = true) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16);
#if defined(LOCRET_EMULATED)
  emulation::beginCopy(target, source, bytes, valid ? bytes : 0);
#else
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;\n"
               :
               : "r"(sharedAddress(target)), "l"(__cvta_generic_to_global(source)), "n"(bytes), "r"(valid ? bytes : 0)
               : "memory");
#endif
}

/** Ends a group: the copies this thread has begun since the last group. PTX: cp.async.commit_group. */
__device__ __forceinline__ void commitCopies() {
#if defined(LOCRET_EMULATED)
  emulation::commitCopies();
#else
  asm volatile("cp.async.commit_group;\n" ::: "memory");
#endif
}

/** Waits until at most the newest `pendingGroups` groups of this thread are not yet there. PTX: cp.async.wait_group. */
template <int pendingGroups>
__device__ __forceinline__ void waitForCopies() {
#if defined(LOCRET_EMULATED)
  emulation::waitForCopies(pendingGroups);
#else
  asm volatile("cp.async.wait_group %0;\n" ::"n"(pendingGroups) : "memory");
#endif
}

}  // namespace locret
