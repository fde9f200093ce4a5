import { Tensor } from 'onnxruntime-node';

/** Whole numbers from 0 to 2^31 - 1 as an int64 tensor, written as halves: a bigint for each would be garbage. */
export function int64Tensor(values: ArrayLike<number>, dimensions: readonly number[]): Tensor {
  const data = new BigInt64Array(values.length);
  const halves = new Int32Array(data.buffer);
  for (let i = 0; i < values.length; i++) halves[2 * i] = values[i] ?? 0;
  return new Tensor('int64', data, dimensions);
}
