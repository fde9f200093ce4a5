#pragma once

#include <cstddef>
#include <cstdint>

#include "device/types.h"

namespace locret {

/**
 * Where the numbers of a weight matrix lie.
 *
 * float32, bfloat16, float16: row after row, `[rows, columns]`.
 *
 * int8 and int4 lie in blocks of 16 rows × 64 columns, the blocks of the same rows one after another; rows and columns
 * are filled up with zeros to whole blocks. Within a block the codes lie in the order in which the 32 lanes of a warp
 * need them as operand of `mma.m16n8k16`, so that every lane reads 16 bytes and the warp 512 in a row, in prefill and
 * decode alike. Products sum over columns in any order; so the order is chosen such that lane `4n + q` owns *eight
 * consecutive columns* `8q..8q+7` of each step of 32 columns (`columnsOfLane`), of the two rows `fragmentRow(0, n)` and
 * `fragmentRow(1, n)`. Activations and 16-bit weights are then read by 16 bytes from where they naturally lie.
 *
 * - int4, 512 bytes: `[lane][step of 32 columns][row 0/1]` of a 32-bit word with the codes of eight columns. Code of
 *   column 2p + b stands in bits 4p + 16b, so that a shift and a mask give the pair (2p, 2p + 1) in two half words.
 *   Codes are offset by 8: value = (code - 8) * scale.
 * - int8, 1,024 bytes: `[step][lane][row 0/1]` of eight bytes, two's complement, those of four columns in the order
 *   0, 2, 1, 3: a mask gives the pair (0, 1) in two half words, a shift and a mask (2, 3). value = code * scale.
 *
 * Scales are bfloat16: activations beside such weights are bfloat16 too, and the range of float16 ends where scales of
 * small weights begin. int4 has one per 32 columns of a row (4.5 bits per weight), int8 one per 64 (8.25 bits).
 */
inline constexpr int weightBlockRows = 16;
inline constexpr int weightBlockColumns = 64;
/** Columns that one step of a product covers: two `mma.m16n8k16`. */
inline constexpr int stepColumns = 32;
/** Consecutive columns of a step that a lane owns. */
inline constexpr int columnsOfLane = 8;

constexpr bool isQuantized(NumberFormat format) {
  return format == NumberFormat::int8 || format == NumberFormat::int4;
}

/** Columns of a row that share a scale. */
constexpr int columnsPerScale(NumberFormat format) {
  return format == NumberFormat::int4 ? 32 : 64;
}

/** Bytes of the codes of a block. */
constexpr int weightBlockBytes(NumberFormat format) {
  return weightBlockRows * weightBlockColumns * (format == NumberFormat::int4 ? 4 : 8) / 8;
}

/** Scales of a block. */
constexpr int weightBlockScales(NumberFormat format) {
  return weightBlockRows * weightBlockColumns / columnsPerScale(format);
}

/**
 * Row within 16 that stands at index `n` (0..7) of fragment `half` (0, 1). Lanes 4n..4n+3 hold outputs of indices 2q
 * and 2q + 1 of both fragments: with this order those are the four consecutive rows 4q..4q+3.
 */
constexpr int fragmentRow(int half, int n) {
  return 4 * (n >> 1) + 2 * half + (n & 1);
}

constexpr int fragmentHalf(int rowInBlock) {
  return (rowInBlock >> 1) & 1;
}

constexpr int fragmentIndex(int rowInBlock) {
  return ((rowInBlock >> 2) << 1) | (rowInBlock & 1);
}

/** Blocks of 64 columns of a row. */
constexpr int columnBlocks(int columns) {
  return (columns + weightBlockColumns - 1) / weightBlockColumns;
}

constexpr int rowBlocks(int rows) {
  return (rows + weightBlockRows - 1) / weightBlockRows;
}

constexpr std::size_t weightBlockIndex(int row, int column, int columns) {
  return static_cast<std::size_t>(row / weightBlockRows) * static_cast<std::size_t>(columnBlocks(columns)) +
         static_cast<std::size_t>(column / weightBlockColumns);
}

/** Bit of the eight columns' word of int4 where the code of column 0..7 begins. */
constexpr int int4CodeBit(int column) {
  return 4 * (column >> 1) + 16 * (column & 1);
}

/** Byte of the eight columns' codes of int8 where column 0..7 stands: 0, 2, 1, 3 in each word. */
constexpr int int8CodeByte(int column) {
  return (column & 4) | ((column & 1) << 1) | ((column >> 1) & 1);
}

/** Byte offset of the codes of the eight columns from `column` on (a multiple of 8): a word (int4) or two (int8). */
constexpr std::size_t codesOffset(NumberFormat format, int row, int column, int columns) {
  const int lane = 4 * fragmentIndex(row % weightBlockRows) + column % stepColumns / columnsOfLane;
  const int half = fragmentHalf(row % weightBlockRows);
  const int step = column % weightBlockColumns / stepColumns;
  const int within = format == NumberFormat::int4 ? lane * 16 + step * 8 + half * 4 : step * 512 + lane * 16 + half * 8;
  return weightBlockIndex(row, column, columns) * static_cast<std::size_t>(weightBlockBytes(format)) +
         static_cast<std::size_t>(within);
}

/** Code of column `column` (0..7) of the eight columns whose codes begin at `codes` (see codesOffset). */
constexpr int codeAt(NumberFormat format, const unsigned char* codes, int column) {
  if (format == NumberFormat::int4) {
    const int bit = int4CodeBit(column);
    return ((codes[bit >> 3] >> (bit & 7)) & 15) - 8;
  }
  return static_cast<signed char>(codes[int8CodeByte(column)]);
}

/** Index of the scale of a weight. In a block: `[n][group of columns][row 0/1]`. */
constexpr std::size_t scaleIndex(NumberFormat format, int row, int column, int columns) {
  const int groups = weightBlockColumns / columnsPerScale(format);
  const int group = column % weightBlockColumns / columnsPerScale(format);
  const int within = (fragmentIndex(row % weightBlockRows) * groups + group) * 2 + fragmentHalf(row % weightBlockRows);
  return weightBlockIndex(row, column, columns) * static_cast<std::size_t>(weightBlockScales(format)) +
         static_cast<std::size_t>(within);
}

/** Device memory of a weight matrix. */
struct WeightLayout {
  std::size_t valueBytes;
  /** 0 without scales. */
  std::size_t scaleBytes;
};

/**
 * Bytes that a matrix `[rows, columns]` takes in a format. Throws `Error` where the products cannot take it: columns
 * must be a multiple of 4 (float32) or 8 (all others), because activations are read by 16 bytes.
 */
WeightLayout layoutOf(NumberFormat format, std::int32_t rows, std::int32_t columns);

}  // namespace locret
