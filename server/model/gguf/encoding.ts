import { floatEncodings, type WeightEncoding } from '../weight-encoding.js';
import { decodeIq4Nl, decodeQ4Of0, decodeQ4Of1, decodeQ5Of0, decodeQ5Of1, decodeQ8Of0 } from './decode-blocks.js';
import { decodeIq4Xs, decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from './decode-super-blocks.js';

/** An encoding in blocks, decoded bit for bit as GGML's own dequantization. */
function encoding(
  name: string,
  blockLength: number,
  blockBytes: number,
  decodeBlocks: (bytes: Uint8Array, numbers: Float32Array) => void,
): WeightEncoding {
  const decode = (bytes: Uint8Array, numbers: Float32Array): void => {
    const blocks = numbers.length / blockLength;
    if (!Number.isInteger(blocks) || bytes.length !== blocks * blockBytes) {
      throw new RangeError(`${bytes.length} bytes are not ${numbers.length} numbers of ${name}`);
    }
    decodeBlocks(bytes, numbers);
  };
  return { name, blockLength, blockBytes, decode };
}

/** The encodings that are read, by the number that GGML gives them (`ggml_type` in ggml.h). */
const encodingsByType: ReadonlyMap<number, WeightEncoding> = new Map([
  [0, floatEncodings.float32],
  [1, floatEncodings.float16],
  [2, encoding('Q4_0', 32, 18, decodeQ4Of0)],
  [3, encoding('Q4_1', 32, 20, decodeQ4Of1)],
  [6, encoding('Q5_0', 32, 22, decodeQ5Of0)],
  [7, encoding('Q5_1', 32, 24, decodeQ5Of1)],
  [8, encoding('Q8_0', 32, 34, decodeQ8Of0)],
  [10, encoding('Q2_K', 256, 84, decodeQ2K)],
  [11, encoding('Q3_K', 256, 110, decodeQ3K)],
  [12, encoding('Q4_K', 256, 144, decodeQ4K)],
  [13, encoding('Q5_K', 256, 176, decodeQ5K)],
  [14, encoding('Q6_K', 256, 210, decodeQ6K)],
  [20, encoding('IQ4_NL', 32, 18, decodeIq4Nl)],
  [23, encoding('IQ4_XS', 256, 136, decodeIq4Xs)],
  [30, floatEncodings.bfloat16],
]);

/** The names of the encodings that are not read, so that one can be refused by its name. */
const otherNames: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [9, 'Q8_1'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [31, 'Q4_0_4_4'],
  [32, 'Q4_0_4_8'],
  [33, 'Q4_0_8_8'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [36, 'IQ4_NL_4_4'],
  [37, 'IQ4_NL_4_8'],
  [38, 'IQ4_NL_8_8'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
  [41, 'Q1_0'],
]);

/** The encoding that GGML has under a number; undefined for those that are not read. */
export function encodingOfType(type: number): WeightEncoding | undefined {
  return encodingsByType.get(type);
}

/** The name of any encoding, also of one that is not read; undefined for a number that GGML does not give. */
export function encodingName(type: number): string | undefined {
  return encodingsByType.get(type)?.name ?? otherNames.get(type);
}

/** The names of all encodings that are read. */
export const encodingNames: readonly string[] = Array.from(encodingsByType.values(), ({ name }) => name);

/** GGML's number and the encoding of that name; for writing. */
export function encodingNamed(name: string): { readonly type: number; readonly encoding: WeightEncoding } | undefined {
  for (const [type, candidate] of encodingsByType) if (candidate.name === name) return { type, encoding: candidate };
  return undefined;
}
