#include "test/emulation/tensor-core.h"

#include <cstring>
#include <string>
#include <vector>

#include "test/emulation/block.h"
#include "test/emulation/include/cuda_bf16.h"
#include "test/emulation/include/cuda_fp16.h"

namespace locret::emulation {

namespace {

struct SixteenProduct {
  float* d;
  const std::uint32_t* a;
  const std::uint32_t* b;
};

template <Sixteen format>
float elementOf(std::uint32_t pair, int index) {
  const auto bits = static_cast<unsigned short>(pair >> (16 * index));
  if constexpr (format == Sixteen::bfloat16) return __bfloat162float(__ushort_as_bfloat16(bits));
  return __half2float(__ushort_as_half(bits));
}

// With group = lane / 4 and member = lane % 4 (PTX manual, "Matrix fragments for mma.m16n8k16"):
// register r of A holds row group + 8 * (r % 2), columns 2 * member + 8 * (r / 2) and the next;
// register r of B holds rows 2 * member + 8 * r and the next, column group;
// number i of D is row group + 8 * (i / 2), column 2 * member + i % 2.
template <Sixteen format>
void computeM16N8K16(void* const* lanes) {
  float a[16][16];
  float b[16][8];
  float d[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    if (lanes[lane] == nullptr) fail("mma needs all lanes of the warp.");
    const auto& own = *static_cast<const SixteenProduct*>(lanes[lane]);
    const int group = lane / 4;
    const int member = lane % 4;
    for (int index = 0; index < 2; ++index) {
      for (int part = 0; part < 4; ++part) {
        a[group + 8 * (part % 2)][2 * member + 8 * (part / 2) + index] = elementOf<format>(own.a[part], index);
      }
      for (int part = 0; part < 2; ++part) {
        b[2 * member + 8 * part + index][group] = elementOf<format>(own.b[part], index);
      }
    }
    for (int number = 0; number < 4; ++number) d[group + 8 * (number / 2)][2 * member + number % 2] = own.d[number];
  }
  for (int row = 0; row < 16; ++row) {
    float sum[8] = {};
    for (int inner = 0; inner < 16; ++inner) {
      for (int column = 0; column < 8; ++column) sum[column] += a[row][inner] * b[inner][column];
    }
    for (int column = 0; column < 8; ++column) d[row][column] += sum[column];
  }
  for (int lane = 0; lane < 32; ++lane) {
    float* own = static_cast<const SixteenProduct*>(lanes[lane])->d;
    for (int number = 0; number < 4; ++number) {
      own[number] = d[lane / 4 + 8 * (number / 2)][2 * (lane % 4) + number % 2];
    }
  }
}

struct EightProduct {
  std::int32_t* d;
  const std::uint32_t* a;
  const std::uint32_t* b;
};

// As above with four bytes to a register: A's columns are 4 * member + 16 * (r / 2) and the next three, B's rows
// 4 * member + 16 * r and the next three.
void computeM16N8K32(void* const* lanes) {
  std::int32_t a[16][32];
  std::int32_t b[32][8];
  std::int32_t d[16][8];
  const auto byteOf = [](std::uint32_t bytes, int index) {
    return static_cast<std::int32_t>(static_cast<std::int8_t>(bytes >> (8 * index)));
  };
  for (int lane = 0; lane < 32; ++lane) {
    if (lanes[lane] == nullptr) fail("mma needs all lanes of the warp.");
    const auto& own = *static_cast<const EightProduct*>(lanes[lane]);
    const int group = lane / 4;
    const int member = lane % 4;
    for (int index = 0; index < 4; ++index) {
      for (int part = 0; part < 4; ++part) {
        a[group + 8 * (part % 2)][4 * member + 16 * (part / 2) + index] = byteOf(own.a[part], index);
      }
      for (int part = 0; part < 2; ++part) b[4 * member + 16 * part + index][group] = byteOf(own.b[part], index);
    }
    for (int number = 0; number < 4; ++number) d[group + 8 * (number / 2)][2 * member + number % 2] = own.d[number];
  }
  for (int row = 0; row < 16; ++row) {
    for (int inner = 0; inner < 32; ++inner) {
      for (int column = 0; column < 8; ++column) d[row][column] += a[row][inner] * b[inner][column];
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    std::int32_t* own = static_cast<const EightProduct*>(lanes[lane])->d;
    for (int number = 0; number < 4; ++number) {
      own[number] = d[lane / 4 + 8 * (number / 2)][2 * (lane % 4) + number % 2];
    }
  }
}

struct MatrixLoad {
  const void* row;
  std::uint32_t* registers;
};

// Lane 8 * m + r names row r of matrix m. Of matrix m, lane l gets columns 2 * (l % 4) and the next of row l / 4;
// transposed: rows 2 * (l % 4) and the next of column l / 4.
template <int count, bool transposed>
void computeMatrices(void* const* lanes) {
  for (int matrix = 0; matrix < count; ++matrix) {
    unsigned short elements[8][8];
    for (int row = 0; row < 8; ++row) {
      const void* named = static_cast<const MatrixLoad*>(lanes[8 * matrix + row])->row;
      if (reinterpret_cast<std::uintptr_t>(named) % 16 != 0) fail("ldmatrix needs rows that are aligned to 16 bytes.");
      std::memcpy(elements[row], named, sizeof elements[row]);
    }
    for (int lane = 0; lane < 32; ++lane) {
      const int major = lane / 4;
      const int minor = 2 * (lane % 4);
      const std::uint32_t first = transposed ? elements[minor][major] : elements[major][minor];
      const std::uint32_t second = transposed ? elements[minor + 1][major] : elements[major][minor + 1];
      static_cast<const MatrixLoad*>(lanes[lane])->registers[matrix] = first | second << 16;
    }
  }
}

}  // namespace

void multiplyM16N8K16(Sixteen format, float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      std::source_location where) {
  SixteenProduct own{d, a, b};
  runTogether(0xffffffffu, &own,
              format == Sixteen::bfloat16 ? computeM16N8K16<Sixteen::bfloat16> : computeM16N8K16<Sixteen::float16>,
              where);
}

void multiplyM16N8K32(std::int32_t (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      std::source_location where) {
  EightProduct own{d, a, b};
  runTogether(0xffffffffu, &own, computeM16N8K32, where);
}

void loadMatrices(int count, bool transposed, std::uint32_t* registers, const void* row, std::source_location where) {
  MatrixLoad own{row, registers};
  Collective compute = nullptr;
  if (count == 1) compute = transposed ? computeMatrices<1, true> : computeMatrices<1, false>;
  if (count == 2) compute = transposed ? computeMatrices<2, true> : computeMatrices<2, false>;
  if (count == 4) compute = transposed ? computeMatrices<4, true> : computeMatrices<4, false>;
  if (compute == nullptr) fail("ldmatrix loads 1, 2 or 4 matrices.");
  runTogether(0xffffffffu, &own, compute, where);
}

void beginCopy(void* target, const void* source, std::size_t bytes, std::size_t validBytes) {
  if (reinterpret_cast<std::uintptr_t>(target) % bytes != 0 || reinterpret_cast<std::uintptr_t>(source) % bytes != 0) {
    fail("cp.async of " + std::to_string(bytes) + " bytes needs addresses that are aligned to as many.");
  }
  std::memset(target, 0xff, bytes);
  currentThread->copies.push_back({target, source, bytes, validBytes, currentThread->openGroup});
}

void commitCopies() { ++currentThread->openGroup; }

void waitForCopies(std::size_t pendingGroups) {
  Thread& self = *currentThread;
  for (; self.firstCopy < self.copies.size(); ++self.firstCopy) {
    const PendingCopy& copy = self.copies[self.firstCopy];
    if (copy.group + pendingGroups >= self.openGroup) return;
    if (copy.validBytes > 0) std::memcpy(copy.target, copy.source, copy.validBytes);
    std::memset(static_cast<std::byte*>(copy.target) + copy.validBytes, 0, copy.bytes - copy.validBytes);
  }
  self.copies.clear();
  self.firstCopy = 0;
}

}  // namespace locret::emulation
