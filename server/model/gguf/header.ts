import { LocretError } from '../../errors.js';
import type { Refusal } from '../json-fields.js';
import type { WeightEncoding } from '../weight-encoding.js';
import { encodingName, encodingNames, encodingOfType } from './encoding.js';
import { HeaderReader } from './header-reader.js';
import { exactNumber, readValue, type GgufValue } from './metadata-values.js';

/** A tensor as a header describes it. */
export interface GgufTensorEntry {
  readonly name: string;
  /** Fastest first: `[columns, rows]`. */
  readonly dimensions: readonly number[];
  readonly encoding: WeightEncoding;
  /** Where its bytes begin and end in the file. */
  readonly begin: number;
  readonly end: number;
}

/** Everything of a GGUF file but the bytes of its tensors. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of their bytes. */
  readonly tensors: readonly GgufTensorEntry[];
  /** Where the bytes of the tensors begin. */
  readonly dataBegin: number;
}

const knownVersions = [2, 3];
const mostKeys = 1 << 16;
const mostTensors = 1 << 18;
const longestKey = 65535;
/** GGML's own limit of a tensor's name. */
const longestName = 64;
const mostDimensions = 4;
const defaultAlignment = 32;
const largestAlignment = 1 << 16;

/** What files begin with that are no GGUF files, but taken for some. */
const otherMagics: ReadonlyMap<string, string> = new Map([
  ['lmgg', 'a GGML file of 2023'],
  ['fmgg', 'a GGMF file of 2023'],
  ['tjgg', 'a GGJT file of 2023'],
  ['algg', 'a GGLA file of 2023 (a LoRA adapter)'],
  ['PK\u0003\u0004', 'a zip archive'],
  ['vers', 'a Git LFS pointer: the model itself was not downloaded'],
]);

/**
 * Reads the header of a GGUF file of version 2 or 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): the
 * metadata and the table of tensors, which is checked whole: names, encodings, sizes, that the tensors follow one
 * another without gaps, and that the file ends where they end.
 * @throws LocretError model-unsupported for another format, version or encoding, naming it; otherwise the refusal's
 *   code, naming the key or tensor and what was expected
 */
export function readGgufHeader(path: string, descriptor: number, refusal: Refusal): GgufHeader {
  const reader = new HeaderReader(path, refusal, descriptor);
  checkVersion(reader);
  reader.reading('its beginning');
  // The least a tensor takes: a name of one byte, one dimension, its type and its offset.
  const tensorCount = reader.count('tensors', 8 + 1 + 4 + 8 + 4 + 8, mostTensors);
  const keyCount = reader.count('metadata values', 8 + 1 + 4 + 1, mostKeys);
  const metadata = readMetadata(reader, keyCount);
  return { metadata, ...readTensors(reader, tensorCount, alignmentOf(reader, metadata)) };
}

function unsupported(path: string, what: string): LocretError {
  return new LocretError(
    'model-unsupported',
    `${path} ${what}.`,
    'Choose a GGUF file of version 2 or 3, little-endian, as llama.cpp, Ollama and LM Studio use them today.',
  );
}

function checkVersion(reader: HeaderReader): void {
  if (reader.fileSize < 24) throw reader.refuse(`has ${reader.fileSize} bytes; a GGUF file has at least 24`);
  const magic = String.fromCharCode(...reader.bytes(4));
  if (magic !== 'GGUF') {
    const known = otherMagics.get(magic);
    throw unsupported(reader.path, known === undefined ? 'is not a GGUF file' : `is ${known}, not a GGUF file`);
  }
  const version = reader.uint32();
  if (knownVersions.includes(version)) return;
  // A small number in the upper half is one whose bytes are the other way round.
  if (version !== 0 && version % 0x10000 === 0) throw unsupported(reader.path, 'is a big-endian GGUF file');
  throw unsupported(reader.path, `is a GGUF file of version ${version}`);
}

function readMetadata(reader: HeaderReader, keyCount: number): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < keyCount; index++) {
    reader.reading(`the name of metadata value ${index + 1} of ${keyCount}`);
    const key = reader.string(longestKey);
    if (!/^[!-~]+$/.test(key)) throw reader.refuse(`has metadata named ${JSON.stringify(key)}; names are of ASCII`);
    if (metadata.has(key)) throw reader.refuse(`has the metadata "${key}" twice`);
    reader.reading(`the metadata "${key}"`);
    metadata.set(key, readValue(reader, key));
  }
  return metadata;
}

/** What the offsets of tensors are multiples of. */
function alignmentOf(reader: HeaderReader, metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get('general.alignment') ?? defaultAlignment;
  if (
    typeof alignment === 'number' &&
    alignment >= 1 &&
    alignment <= largestAlignment &&
    Number.isInteger(Math.log2(alignment))
  ) {
    return alignment;
  }
  throw reader.refuse(
    `has "general.alignment" ${String(alignment)}; expected a power of two up to ${largestAlignment}`,
  );
}

function readTensors(reader: HeaderReader, count: number, alignment: number): Omit<GgufHeader, 'metadata'> {
  const aligned = (offset: number): number => Math.ceil(offset / alignment) * alignment;
  const described: (Omit<GgufTensorEntry, 'begin' | 'end'> & { readonly offset: number; readonly bytes: number })[] =
    [];
  const names = new Set<string>();
  let next = 0;
  for (let index = 0; index < count; index++) {
    reader.reading(`the description of tensor ${index + 1} of ${count}`);
    const name = reader.string(longestName);
    if (names.has(name)) throw reader.refuse(`has the tensor "${name}" twice`);
    names.add(name);
    reader.reading(`the description of tensor "${name}"`);
    const dimensions = readDimensions(reader, name);
    const encoding = readEncoding(reader, name);
    const bytes = tensorBytes(reader, name, dimensions, encoding);
    const offset = reader.uint64();
    if (offset !== BigInt(next)) {
      throw reader.refuse(`has a tensor "${name}" at offset ${offset}; expected ${next}, behind the tensor before it`);
    }
    described.push({ name, dimensions, encoding, offset: next, bytes });
    next = aligned(next + bytes);
  }
  const headerEnd = reader.position;
  const dataBegin = aligned(headerEnd);
  const tensors = described.map(({ name, dimensions, encoding, offset, bytes }) => {
    const begin = dataBegin + offset;
    return { name, dimensions, encoding, begin, end: begin + bytes };
  });
  checkEnd(reader, tensors, dataBegin, dataBegin + next);
  checkPadding(reader, headerEnd, { tensors, dataBegin });
  return { tensors, dataBegin };
}

function readDimensions(reader: HeaderReader, name: string): number[] {
  const count = reader.uint32();
  if (count < 1 || count > mostDimensions) {
    throw reader.refuse(`has a tensor "${name}" of ${count} dimensions; expected 1 to ${mostDimensions}`);
  }
  return Array.from({ length: count }, () => {
    const size = exactNumber(reader.uint64());
    if (typeof size === 'number' && size >= 1) return size;
    throw reader.refuse(`has a tensor "${name}" with a dimension of ${size}`);
  });
}

function readEncoding(reader: HeaderReader, name: string): WeightEncoding {
  const type = reader.uint32();
  const encoding = encodingOfType(type);
  if (encoding !== undefined) return encoding;
  const known = encodingName(type);
  if (known === undefined) throw reader.refuse(`has a tensor "${name}" of unknown type ${type}`);
  throw new LocretError(
    'model-unsupported',
    `${reader.path} stores the tensor "${name}" as ${known}, which is not supported.`,
    `Choose a file of the same model in one of ${encodingNames.join(', ')}, such as "Q4_K_M" or "Q8_0".`,
  );
}

function tensorBytes(
  reader: HeaderReader,
  name: string,
  dimensions: readonly number[],
  encoding: WeightEncoding,
): number {
  const numbers = dimensions.reduce((product, size) => product * size, 1);
  const bytes = (numbers / encoding.blockLength) * encoding.blockBytes;
  if (!Number.isSafeInteger(numbers) || bytes > Number.MAX_SAFE_INTEGER) {
    throw reader.refuse(`has a tensor "${name}" of impossible shape [${dimensions.join(', ')}]`);
  }
  if ((dimensions[0] ?? 0) % encoding.blockLength !== 0) {
    throw reader.refuse(
      `has a tensor "${name}" of shape [${dimensions.join(', ')}], whose rows are no whole number of ${encoding.name} ` +
        `blocks of ${encoding.blockLength}`,
    );
  }
  return bytes;
}

/** Behind the last tensor there may be what aligns it, and nothing else. */
function checkEnd(
  reader: HeaderReader,
  tensors: readonly GgufTensorEntry[],
  dataBegin: number,
  alignedEnd: number,
): void {
  const last = tensors.at(-1);
  const { fileSize } = reader;
  if (last === undefined) {
    if (fileSize > dataBegin) throw reader.refuse(`has ${fileSize} bytes; its header describes ${dataBegin}`);
    return;
  }
  if (fileSize < last.end) {
    const cut = tensors.find(({ end }) => end > fileSize) ?? last;
    throw reader.refuse(
      `has ${fileSize} bytes, but its tensor "${cut.name}" ends at byte ${cut.end} and the last one at ${last.end}: it is truncated`,
    );
  }
  if (fileSize > alignedEnd) throw reader.refuse(`has ${fileSize} bytes; its header describes ${alignedEnd}`);
}

/** Most bytes of a padding that are looked at. */
const checkedPadding = 64;

/** What aligns the tensors is zero; where it is not, bytes were lost or came in between. */
function checkPadding(
  reader: HeaderReader,
  headerEnd: number,
  { tensors, dataBegin }: Omit<GgufHeader, 'metadata'>,
): void {
  const gaps = tensors.map(({ end }, index) => [end, tensors[index + 1]?.begin ?? reader.fileSize] as const);
  for (const [from, to] of [[headerEnd, dataBegin] as const, ...gaps]) {
    const bytes = reader.bytesAt(from, Math.min(to, from + checkedPadding, reader.fileSize) - from);
    if (bytes.some((byte) => byte !== 0)) {
      throw reader.refuse(`has bytes other than 0 at byte ${from}, where only padding is expected: it is damaged`);
    }
  }
}
