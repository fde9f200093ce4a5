#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>

namespace locret::emulation {

/** What the 16-bit elements of a product are. */
enum class Sixteen { bfloat16, float16 };

/** mma.sync.aligned.m16n8k16.row.col.f32.f32: D += A · B with the fragments of the PTX manual. */
void multiplyM16N8K16(Sixteen format, float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      std::source_location where);

/** mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32: D += A · B. */
void multiplyM16N8K32(std::int32_t (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      std::source_location where);

/** ldmatrix.sync.aligned.m8n8.xN[.trans].shared.b16; `row` is what this lane names, 16 bytes, aligned to 16. */
void loadMatrices(int count, bool transposed, std::uint32_t* registers, const void* row, std::source_location where);

/**
 * cp.async: begins to copy `bytes` bytes (4, 8 or 16), of which the first `validBytes` come from `source`; the others
 * become zero. The target is poisoned until the copy has been waited for.
 */
void beginCopy(void* target, const void* source, std::size_t bytes, std::size_t validBytes);

/** cp.async.commit_group. */
void commitCopies();

/** cp.async.wait_group: the copies of all but the newest `pendingGroups` groups are there now, for this thread. */
void waitForCopies(std::size_t pendingGroups);

}  // namespace locret::emulation
