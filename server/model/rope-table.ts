import { layerOf, ropesOf, type ModelShape, type Rope } from './shape.js';

/** Cosines and sines of every slot's rotation. */
export interface RopeTable {
  /** Slots in the table. */
  readonly slots: number;
  /** Pairs of dimensions that are turned: half of the rotated dimensions. */
  readonly pairs: number;
  /** `[slots, pairs]`, with the attention factor of LongRoPE: what queries and keys are multiplied with. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  /** `[slots, pairs]`, pure rotations: they turn a cached key from one slot to another. */
  readonly turnCos: Float32Array;
  readonly turnSin: Float32Array;
}

/**
 * Angle per slot of each pair, `[rotaryDim / 2]`.
 * @param slots the largest number of slots in use: LongRoPE takes its long factors beyond the original window
 */
export function ropeFrequencies(rope: Rope, slots: number): Float64Array {
  const { theta, rotaryDim, scaling } = rope;
  const frequencies = Float64Array.from({ length: rotaryDim / 2 }, (_, pair) => theta ** ((-2 * pair) / rotaryDim));
  switch (scaling.kind) {
    case 'none':
      return frequencies;
    case 'linear':
      return frequencies.map((frequency) => frequency / scaling.factor);
    case 'llama3': {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions } = scaling;
      return frequencies.map((frequency) => {
        const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
        if (turns < low) return frequency / factor;
        if (turns > high) return frequency;
        const smooth = (turns - low) / (high - low);
        return (1 - smooth) * (frequency / factor) + smooth * frequency;
      });
    }
    case 'longrope': {
      const factors = slots > scaling.originalMaxPositions ? scaling.longFactors : scaling.shortFactors;
      return frequencies.map((frequency, pair) => frequency / (factors[pair] ?? 1));
    }
  }
}

/**
 * The table of all slots 0..slots-1 (RoPE: arXiv 2104.09864; halves are paired, as Hugging Face checkpoints are).
 * @param planned slots that LongRoPE's factors are chosen for: a cache that grows must not change them under its keys
 */
export function ropeTable(rope: Rope, slots: number, planned = slots): RopeTable {
  // In float32, as transformers computes them: the numbers that checkpoints were trained with.
  const frequencies = Float32Array.from(ropeFrequencies(rope, planned));
  const pairs = frequencies.length;
  const turnCos = new Float32Array(slots * pairs);
  const turnSin = new Float32Array(slots * pairs);
  for (let slot = 0; slot < slots; slot++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = Math.fround(slot * (frequencies[pair] ?? 0));
      turnCos[slot * pairs + pair] = Math.cos(angle);
      turnSin[slot * pairs + pair] = Math.sin(angle);
    }
  }
  const factor = rope.scaling.kind === 'longrope' ? rope.scaling.attentionFactor : 1;
  if (factor === 1) return { slots, pairs, cos: turnCos, sin: turnSin, turnCos, turnSin };
  return {
    slots,
    pairs,
    cos: turnCos.map((value) => value * factor),
    sin: turnSin.map((value) => value * factor),
    turnCos,
    turnSin,
  };
}

/** The tables of a model's layers; layers that are rotated alike share one. */
export class RopeTables {
  private readonly tables: ReadonlyMap<Rope, RopeTable>;

  /**
   * @param slots of every table
   * @param planned what {@link ropeTable} takes
   */
  constructor(
    private readonly shape: ModelShape,
    slots: number,
    planned = slots,
  ) {
    this.tables = new Map(ropesOf(shape).map((rope) => [rope, ropeTable(rope, slots, planned)]));
  }

  /** Each once, in the order of `ropesOf`. */
  get all(): readonly RopeTable[] {
    return [...this.tables.values()];
  }

  of(layer: number): RopeTable {
    const table = this.tables.get(layerOf(this.shape, layer).rope);
    if (table === undefined) throw new RangeError(`no table for layer ${layer}`);
    return table;
  }
}
