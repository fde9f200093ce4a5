import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { LocretError, messageOf, systemErrorCode } from '../../../errors.js';
import { isProcessAlive } from '../../../process-alive.js';
import type { ElementType, ExternalData } from './graph.js';

/** onnxruntime maps the file into memory; a tensor must then start on a page. */
const alignment = 4096;
const elementBytes: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
};

/** A tensor of the file. */
export interface PackedTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** Tensors that are computed together, one after the other in the file. */
interface Group {
  readonly places: readonly { readonly name: string; readonly offset: number; readonly length: number }[];
  /** Computes the tensors' bytes; called only when the file must be written. */
  readonly pack: () => readonly ArrayBufferView[];
}

function writeAll(descriptor: number, data: ArrayBufferView, offset: number): void {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let written = 0;
  while (written < bytes.length) {
    const most = Math.min(bytes.length - written, 1 << 28);
    written += writeSync(descriptor, bytes, written, most, offset + written);
  }
}

/** The name under which a process writes a file until it is whole. */
function partialName(file: string, processId: number): string {
  return `${file}.${processId}.partial`;
}

function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It cannot be removed where nothing can be written either.
  }
}

/** Removes what processes left that ended while they wrote. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const processId = /\.(\d+)\.partial$/.exec(name)?.[1];
    if (processId !== undefined && !isProcessAlive(Number(processId))) removeIfPossible(path.join(folder, name));
  }
}

/**
 * One file of weights in the layout that a graph wants them in. Tensors are placed first, which fixes the layout, and
 * computed one at a time only if the file is not there yet: the second start reads what the first one packed.
 */
export class PackedWeights {
  private readonly groups: Group[] = [];
  private readonly places = new Map<string, ExternalData>();
  private end = 0;

  /**
   * @param folder where the file lies or will lie
   * @param file its name
   * @param source identity of the weights that are packed
   */
  constructor(
    private readonly folder: string,
    private readonly file: string,
    private readonly source: string,
  ) {}

  /** Bytes of the file. */
  get bytes(): number {
    return this.end;
  }

  /** Reserves a tensor's region; the first tensor of a name counts. */
  place(tensor: PackedTensor, pack: () => ArrayBufferView): ExternalData {
    const [place] = this.placeTogether([tensor], () => [pack()]);
    if (place === undefined) throw new Error(`${tensor.name} got no place`);
    return place;
  }

  /** Reserves the regions of tensors that one computation yields, in this order. */
  placeTogether(tensors: readonly PackedTensor[], pack: () => readonly ArrayBufferView[]): readonly ExternalData[] {
    const known = tensors.flatMap(({ name }) => this.places.get(name) ?? []);
    if (known.length === tensors.length) return known;
    const places = tensors.map(({ name, type, shape }) => {
      const offset = Math.ceil(this.end / alignment) * alignment;
      const length = shape.reduce((product, dimension) => product * dimension, elementBytes[type]);
      this.end = offset + length;
      this.places.set(name, { file: this.file, offset, length });
      return { name, file: this.file, offset, length };
    });
    this.groups.push({ places, pack });
    return places;
  }

  /**
   * Writes the file unless one with the same content is there: to a temporary name first, so that a file with the
   * final name is always whole.
   * @throws LocretError disk-full
   */
  write(): void {
    const target = path.join(this.folder, this.file);
    const seal = `${target}.seal`;
    const expected = this.identity();
    if (this.isWritten(target, seal, expected)) return;
    const temporary = partialName(target, process.pid);
    const temporarySeal = partialName(seal, process.pid);
    try {
      mkdirSync(this.folder, { recursive: true });
      removeLeftovers(this.folder);
      this.writeTo(temporary);
      rmSync(seal, { force: true });
      renameSync(temporary, target);
      writeFileSync(temporarySeal, expected);
      renameSync(temporarySeal, seal);
    } catch (error) {
      for (const file of [temporary, temporarySeal]) removeIfPossible(file);
      throw this.writeError(target, error);
    }
  }

  private writeError(target: string, error: unknown): unknown {
    const code = systemErrorCode(error);
    if (code === undefined || error instanceof LocretError) return error;
    return new LocretError(
      'disk-full',
      `The packed weights cannot be written to ${target} (${this.end} bytes): ${messageOf(error)}.`,
      code === 'ENOSPC'
        ? 'Free space on that disk, or set XDG_CACHE_HOME to a folder on another one.'
        : 'Make that folder writable, or set XDG_CACHE_HOME to one that is.',
      { cause: error },
    );
  }

  private writeTo(temporary: string): void {
    const descriptor = openSync(temporary, 'w');
    try {
      for (const { places, pack } of this.groups) {
        const packed = pack();
        for (const [index, { name, offset, length }] of places.entries()) {
          const data = packed[index];
          if (data?.byteLength !== length)
            throw new Error(`${name} packs to ${data?.byteLength ?? 0} bytes where ${length} were reserved`);
          writeAll(descriptor, data, offset);
        }
      }
      ftruncateSync(descriptor, this.end);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Identity of the content: what was packed, and the layout. */
  private identity(): string {
    const hash = createHash('sha256').update(this.source);
    for (const { places } of this.groups) {
      for (const { name, offset, length } of places) hash.update(`\n${name} ${offset} ${length}`);
    }
    return hash.digest('hex');
  }

  private isWritten(target: string, seal: string, expected: string): boolean {
    try {
      return statSync(target).size === this.end && readFileSync(seal, 'utf8') === expected;
    } catch {
      return false;
    }
  }
}
