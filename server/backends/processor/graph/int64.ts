/** Whole numbers from 0 to 2^31 - 1 as int64, written as halves: a bigint for each would be garbage. */
export function int64(values: ArrayLike<number>): BigInt64Array {
  const data = new BigInt64Array(values.length);
  const halves = new Int32Array(data.buffer);
  for (let i = 0; i < values.length; i++) halves[2 * i] = values[i] ?? 0;
  return data;
}
