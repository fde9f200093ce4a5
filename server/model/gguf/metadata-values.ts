import type { HeaderReader } from './header-reader.js';

/** A number array of the metadata; truth values are 0 and 1. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** A value of the metadata. Whole numbers of 64 bits are `number` where that holds them exactly. */
export type GgufValue = number | bigint | boolean | string | readonly string[] | GgufNumbers;

const arrayType = 9;
const mostElements = 1 << 22;
const longestString = 1 << 24;

/** A value by the number of its type (`gguf_metadata_value_type`). */
export function readValue(reader: HeaderReader, key: string): GgufValue {
  const type = reader.uint32();
  switch (type) {
    case 0:
      return reader.uint8();
    case 1:
      return reader.int8();
    case 2:
      return reader.uint16();
    case 3:
      return reader.int16();
    case 4:
      return reader.uint32();
    case 5:
      return reader.int32();
    case 6:
      return reader.float32();
    case 7:
      return truthValue(reader, key, reader.uint8()) === 1;
    case 8:
      return reader.string(longestString);
    case arrayType:
      return readArray(reader, key);
    case 10:
      return exactNumber(reader.uint64());
    case 11:
      return exactNumber(reader.int64());
    case 12:
      return reader.float64();
    default:
      throw reader.refuse(`has the metadata "${key}" of unknown type ${type}`);
  }
}

/** A whole number of 64 bits, as `number` where that holds it exactly. */
export function exactNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function truthValue(reader: HeaderReader, key: string, byte: number): number {
  if (byte > 1) throw reader.refuse(`has the metadata "${key}" whose truth value is ${byte}; expected 0 or 1`);
  return byte;
}

function readArray(reader: HeaderReader, key: string): readonly string[] | GgufNumbers {
  const type = reader.uint32();
  const elements = (bytesEach: number): number => reader.count('elements', bytesEach, mostElements);
  /** The bytes of an array of numbers, in a buffer of their own. */
  const buffer = (bytesEach: number): ArrayBuffer =>
    new Uint8Array(reader.bytes(elements(bytesEach) * bytesEach)).buffer;
  switch (type) {
    case 0:
      return new Uint8Array(buffer(1));
    case 1:
      return new Int8Array(buffer(1));
    case 2:
      return new Uint16Array(buffer(2));
    case 3:
      return new Int16Array(buffer(2));
    case 4:
      return new Uint32Array(buffer(4));
    case 5:
      return new Int32Array(buffer(4));
    case 6:
      return new Float32Array(buffer(4));
    case 7:
      return new Uint8Array(buffer(1)).map((byte) => truthValue(reader, key, byte));
    case 8:
      return Array.from({ length: elements(8) }, () => reader.string(longestString));
    case arrayType:
      throw reader.refuse(`has the metadata "${key}" that is a list of lists; none is known`);
    case 10:
      return new BigUint64Array(buffer(8));
    case 11:
      return new BigInt64Array(buffer(8));
    case 12:
      return new Float64Array(buffer(8));
    default:
      throw reader.refuse(`has the metadata "${key}", a list of unknown type ${type}`);
  }
}
