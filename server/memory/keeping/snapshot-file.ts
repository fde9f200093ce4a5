import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { CachePlan, Engine, LayerCache } from '../../engine/engine.js';
import { isLocretError, LocretError, messageOf, systemErrorCode } from '../../errors.js';
import type { Refusal } from '../../model/json-fields.js';
import { SafetensorsFile } from '../../model/safetensors.js';
import { type TensorToWrite, writeSafetensors } from '../../model/safetensors-writer.js';
import type { SnapshotDocument, SourceMapArrays } from './snapshot-document.js';
import { type LayerForm, type LayerTensor, layerTensors, tensorsOfLayers } from './snapshot-layers.js';

/** Changes when the form of snapshots does. */
const formatVersion = '2';
const digestBytes = 32;
/** How the names of files end that are being written. */
const unfinished = '.partial';
const hashedMetadata = ['format', 'fingerprint', 'identity', 'length', 'note'] as const;

/** A memory that was read whole, or a reading that stopped on its way: one is never taken for the other. */
export type SnapshotKind = 'memory' | 'partial memory';

/** What a snapshot belongs to. */
export interface SnapshotOrigin {
  readonly kind: SnapshotKind;
  /** What the cache's numbers depend on besides the engine. */
  readonly identity: string;
}

const damaged: Refusal = { code: 'snapshot-corrupt', remedy: 'The repository is read again.' };

function formatOf(kind: SnapshotKind): string {
  return `locret ${kind} ${formatVersion}`;
}

function foreign(file: string, what: string): LocretError {
  return new LocretError('snapshot-foreign', `${file} ${what}.`, 'The repository is read again.');
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Flushes a folder's entries, so that a rename survives a power failure; not every system can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Removes what processes left that ended while they wrote this file, or another kind of snapshot of the same name;
 * whoever saves a memory holds its lock.
 */
async function removeUnfinished(file: string): Promise<void> {
  const { dir: folder, name: memory } = path.parse(file);
  const isUnfinished = (name: string): boolean => name.startsWith(`${memory}.`) && name.endsWith(unfinished);
  for (const name of (await readdir(folder)).filter(isUnfinished)) await rm(path.join(folder, name), { force: true });
}

/**
 * Writes a snapshot: one safetensors file with the engine's cache layer by layer, the document with its source map, and a
 * checksum over all of it. It is written under another name first: a file with the final name is always whole, and the
 * one before it stays until then.
 *
 * @param origin.note a text that {@link readNote} reads without the rest
 * @throws LocretError disk-full when it cannot be written; the earlier file is untouched
 */
export async function writeSnapshot(
  file: string,
  engine: Engine,
  document: SnapshotDocument,
  origin: SnapshotOrigin & { readonly note?: string },
): Promise<void> {
  const { fingerprint } = engine.description;
  const { length } = await engine.stats();
  const first = await engine.exportLayer(0);
  const { json, arrays } = document;
  const hash = createHash('sha256');
  const hashed = (data: ArrayBufferView): [Uint8Array] => {
    const bytes = bytesOf(data);
    hash.update(bytes);
    return [bytes];
  };
  const small = (name: string, dtype: TensorToWrite['dtype'], data: Uint8Array | Uint16Array | Int32Array) => ({
    name,
    dtype,
    shape: [data.length],
    data: () => hashed(data),
  });
  const layers = await tensorsOfLayers(engine, { first, length }, hashed);
  const tensors: TensorToWrite[] = [
    small('document', 'U8', new TextEncoder().encode(json)),
    small('map.lineTokens', 'I32', arrays.lineTokens),
    small('map.firstColumns', 'U16', arrays.firstColumns),
    small('map.widths', 'U8', arrays.widths),
    small('map.wideTokens', 'I32', arrays.wideTokens),
    ...layers,
    { name: 'checksum', dtype: 'U8', shape: [digestBytes], data: () => [hash.digest()] },
  ];
  const { kind, identity, note = '' } = origin;
  const metadata = { format: formatOf(kind), fingerprint, identity, length: String(length), note };
  for (const key of hashedMetadata) hash.update(`${key}=${metadata[key]}\n`);
  const temporary = `${file}.${process.pid}-${randomUUID().slice(0, 8)}${unfinished}`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await removeUnfinished(file);
    await writeSafetensors(temporary, tensors, metadata);
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (error instanceof LocretError || systemErrorCode(error) === undefined) throw error;
    throw new LocretError(
      'disk-full',
      `The memory's snapshot cannot be written to ${file}: ${messageOf(error)}.`,
      systemErrorCode(error) === 'ENOSPC'
        ? 'Free space on that disk, or set XDG_CACHE_HOME to a folder on another one; until then each start reads anew.'
        : 'Make that folder writable, or set XDG_CACHE_HOME to one that is; until then each start reads anew.',
      { cause: error },
    );
  }
}

/** Cache units per KV head. */
function unitsIn(file: SafetensorsFile, { capacity }: CachePlan): number {
  const text = file.metadata.get('length') ?? '';
  const length = /^\d+$/.test(text) ? Number(text) : Infinity;
  if (length <= capacity) return length;
  throw file.refuse(`holds ${text === '' ? 'no number of' : text} cache units; at most ${capacity} fit`);
}

/** @throws LocretError snapshot-foreign */
function checkOrigin({ metadata, path: name }: SafetensorsFile, { kind, identity }: SnapshotOrigin): void {
  const format = metadata.get('format') ?? '';
  if (format !== formatOf(kind))
    throw foreign(name, `has the form "${format}", this program writes "${formatOf(kind)}"`);
  if (metadata.get('identity') !== identity)
    throw foreign(name, 'was made of another repository or with other settings');
}

/** @throws LocretError snapshot-foreign */
function checkEngine({ metadata, path: name }: SafetensorsFile, engine: Engine): void {
  if (metadata.get('fingerprint') !== engine.description.fingerprint)
    throw foreign(name, 'was made with another model, other retaining heads or another version of the engine');
}

/** Reads a snapshot tensor by tensor, in the order of the file, hashing what it reads. */
class SnapshotReader {
  private readonly hash = createHash('sha256');

  constructor(private readonly file: SafetensorsFile) {
    for (const key of hashedMetadata) this.hash.update(`${key}=${file.metadata.get(key) ?? ''}\n`);
  }

  read(name: string, dtype: string, shape: readonly number[] | undefined): ArrayBuffer {
    const { file } = this;
    const dimensions = shape ?? file.tensors.get(name)?.shape ?? [0];
    const bytes = file.readBytes(file.expect(name, dimensions, [dtype]));
    this.hash.update(bytes);
    return bytes.buffer;
  }

  /** @throws LocretError snapshot-corrupt when anything differs from what was written */
  verify(): void {
    const expected = this.file.readBytes(this.file.expect('checksum', [digestBytes], ['U8']));
    if (!this.hash.digest().equals(expected)) throw this.file.refuse('does not match its checksum: it was damaged');
  }

  /** Units of each of a layer's KV heads, and the slot behind them. */
  private lengths(layer: number, kvHeads: number): Required<Pick<LayerCache, 'length' | 'nextSlot'>> {
    const numbers = new Int32Array(this.read(`layers.${layer}.lengths`, 'I32', [kvHeads + 1]));
    const [length = 0] = numbers;
    if (numbers.some((number, head) => number < 0 || (head < kvHeads && number !== length)))
      throw this.file.refuse(`has the lengths ${numbers.join(', ')} in layer ${layer}`);
    return { length, nextSlot: numbers[kvHeads] ?? 0 };
  }

  /** @param form what the layers hold; of plans with uneven budgets each has lengths of its own */
  *layers(
    engine: Engine,
    { length, withScores, packedBytes }: LayerForm & { readonly length: number },
  ): Generator<LayerCache, void, undefined> {
    const { shape, plan } = engine.description;
    for (let layer = 0; layer < shape.layers.length; layer++) {
      const own = plan.uneven === undefined ? { length } : this.lengths(layer, shape.kvHeads);
      const units = plan.uneven === undefined ? [shape.kvHeads, length] : [shape.kvHeads * own.length];
      const expected = layerTensors(units, shape.headDim, { withScores, packedBytes });
      const part = (name: LayerTensor['part']): ArrayBuffer => {
        const tensor = expected.find((candidate) => candidate.part === name);
        return tensor === undefined
          ? new ArrayBuffer(0)
          : this.read(`layers.${layer}.${name}`, tensor.dtype, tensor.shape);
      };
      const cache = {
        ...own,
        ...(packedBytes === undefined ? {} : { packed: new Uint8Array(part('packed')) }),
        keys: new Float32Array(part('keys')),
        values: new Float32Array(part('values')),
        scores: new Float32Array(part('scores')),
        tokenIndices: new Int32Array(part('tokenIndices')),
      };
      for (const numbers of [cache.keys, cache.values, cache.scores]) {
        if (!numbers.every(Number.isFinite))
          throw this.file.refuse(`has numbers in layer ${layer} that are not finite`);
      }
      yield cache;
    }
  }
}

async function* asynchronously<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

function readContent<Content>(
  file: SafetensorsFile,
  reader: SnapshotReader,
  contentOf: (json: string, arrays: SourceMapArrays) => Content,
): Content {
  const json = new TextDecoder().decode(reader.read('document', 'U8', undefined));
  const arrays = {
    lineTokens: new Int32Array(reader.read('map.lineTokens', 'I32', undefined)),
    firstColumns: new Uint16Array(reader.read('map.firstColumns', 'U16', undefined)),
    widths: new Uint8Array(reader.read('map.widths', 'U8', undefined)),
    wideTokens: new Int32Array(reader.read('map.wideTokens', 'I32', undefined)),
  };
  try {
    return contentOf(json, arrays);
  } catch (error) {
    throw file.refuse(`holds no memory: ${messageOf(error)}`, error);
  }
}

/**
 * Reads a snapshot: its cache goes into the engine, the same bit by bit. Everything is checked; when anything is wrong the
 * engine is left empty.
 *
 * @param contentOf reads the document; whatever it throws makes the snapshot corrupt
 * @throws LocretError snapshot-corrupt or snapshot-foreign, naming the file and what is wrong
 */
export async function readSnapshot<Content extends { readonly nextTokenIndex: number }>(
  path: string,
  engine: Engine,
  origin: SnapshotOrigin,
  contentOf: (json: string, arrays: SourceMapArrays) => Content,
): Promise<Content> {
  await engine.reset();
  const file = SafetensorsFile.open(path, damaged);
  try {
    checkOrigin(file, origin);
    checkEngine(file, engine);
    const reader = new SnapshotReader(file);
    const content = readContent(file, reader, contentOf);
    const length = unitsIn(file, engine.description.plan);
    const withScores = (file.tensors.get('layers.0.scores')?.shape.at(-1) ?? 0) > 0;
    const form = { length, withScores, packedBytes: file.tensors.get('layers.0.packed')?.shape[0] };
    await engine.importLayers(asynchronously(reader.layers(engine, form)), content.nextTokenIndex);
    reader.verify();
    return content;
  } catch (error) {
    if (isLocretError(error, 'engine-failed')) throw error;
    await engine.reset();
    throw error;
  } finally {
    file.close();
  }
}

/**
 * The note of a snapshot, read without its content and without an engine.
 * @throws LocretError snapshot-corrupt or snapshot-foreign
 */
export function readNote(path: string, origin: SnapshotOrigin): string {
  const file = SafetensorsFile.open(path, damaged);
  try {
    checkOrigin(file, origin);
    return file.metadata.get('note') ?? '';
  } finally {
    file.close();
  }
}
