import { LocretError } from '../../errors.js';
import type { LayerCache } from '../../engine/engine.js';

/** A view of one KV head's units, not a copy. */
export interface HeadUnits {
  /** Units of the head. */
  readonly length: number;
  /** `[length, headDim]` */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** `[length]`; empty when units have none. */
  readonly scores: Float32Array;
  readonly tokenIndices: Int32Array;
}

export function sumOf(lengths: Int32Array): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

function joined<Numbers extends Float32Array | Int32Array>(all: Numbers, parts: readonly Numbers[]): Numbers {
  let begin = 0;
  for (const part of parts) {
    all.set(part, begin);
    begin += part.length;
  }
  return all;
}

/**
 * A copy of a layer's units, head after head.
 * @param nextSlot the slot behind the newest units, where heads may differ in length
 */
export function joinHeads(heads: readonly HeadUnits[], nextSlot: number | undefined): LayerCache {
  const lengths = Int32Array.from(heads, ({ length }) => length);
  const floats = (of: (head: HeadUnits) => Float32Array): Float32Array => {
    const parts = heads.map(of);
    return joined(new Float32Array(parts.reduce((sum, { length }) => sum + length, 0)), parts);
  };
  return {
    length: Math.max(...lengths),
    keys: floats(({ keys }) => keys),
    values: floats(({ values }) => values),
    scores: floats(({ scores }) => scores),
    tokenIndices: joined(
      new Int32Array(sumOf(lengths)),
      heads.map(({ tokenIndices }) => tokenIndices),
    ),
    ...(nextSlot === undefined ? {} : { uneven: { lengths, nextSlot } }),
  };
}

/** What a layer to be imported must fit into. */
export interface LayerRoom {
  readonly kvHeads: number;
  /** Whether the plan's budgets differ. */
  readonly isUneven: boolean;
  /** Units that each head holds; undefined where heads divide what the layer holds. */
  readonly capacity: number | undefined;
  /** Units that the layer holds. */
  readonly units: number;
  readonly slots: number;
}

/**
 * Units of each head of a layer to be imported.
 * @throws LocretError snapshot-foreign when they do not fit
 */
export function importedLengths(layer: number, { length, uneven }: LayerCache, room: LayerRoom): Int32Array {
  const { kvHeads, isUneven, capacity, units, slots } = room;
  if ((uneven !== undefined) !== isUneven)
    throw foreignLayer(
      layer,
      `${isUneven ? 'equal' : 'different'} lengths`,
      isUneven ? 'different ones' : 'equal ones',
    );
  const lengths = uneven?.lengths ?? new Int32Array(kvHeads).fill(length);
  const found = `${lengths.join(', ')} units`;
  if (lengths.length !== kvHeads || lengths.some((of) => of < 0))
    throw foreignLayer(layer, found, `the units of ${kvHeads} KV heads`);
  const longest = Math.max(...lengths);
  const areEqual = lengths.every((of) => of === longest);
  if (capacity === undefined && sumOf(lengths) > units) throw foreignLayer(layer, found, `at most ${units} together`);
  if (capacity !== undefined && (!areEqual || longest > capacity))
    throw foreignLayer(layer, found, `equally many, at most ${capacity}`);
  const nextSlot = uneven?.nextSlot ?? length;
  if (nextSlot < longest || nextSlot > slots)
    throw foreignLayer(layer, `its end in slot ${nextSlot}`, `one from ${longest} to ${slots}`);
  return lengths;
}

/** @throws LocretError snapshot-foreign when the arrays of a layer to be imported are not as long as they must be */
export function checkSizes(
  layer: number,
  { keys, values, scores, tokenIndices }: LayerCache,
  { units, headDim, withScores }: { readonly units: number; readonly headDim: number; readonly withScores: boolean },
): void {
  const numbers = units * headDim;
  if (keys.length !== numbers || values.length !== numbers)
    throw foreignLayer(layer, `${keys.length} and ${values.length} numbers of keys and values`, `${numbers} of each`);
  const expectedScores = withScores ? units : 0;
  if (scores.length !== expectedScores) throw foreignLayer(layer, `${scores.length} scores`, `${expectedScores}`);
  if (tokenIndices.length !== units) throw foreignLayer(layer, `${tokenIndices.length} token indices`, `${units}`);
}

function foreignLayer(layer: number, found: string, expected: string): LocretError {
  return new LocretError(
    'snapshot-foreign',
    `Layer ${layer} of the cache to be restored has ${found}; this model and plan expect ${expected}.`,
    'Read the repository again with this model and these settings.',
  );
}
