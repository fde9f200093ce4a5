import type { LabelKind } from '../contract/words.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { layerOf, type LayerShape, type ModelShape } from '../model/shape.js';
import { maskedLogit } from '../backends/processor/graph/attention.js';
import {
  buildContributionLabelGraph,
  buildLogitLabelGraph,
  buildOutputNormGraph,
  labelNames,
} from './graphs/label-graphs.js';
import type { FrozenModel, ObservedPass } from './frozen-model.js';
import { GraphSession, type Numbers } from './graphs/graph-session.js';

/** Tokens of a pass, half-open. */
export interface Rows {
  readonly begin: number;
  readonly end: number;
}

/** Gathers the labels of a text's units from what tokens behind it look at. */
export interface LabelPass {
  /** Begins with a text that the model has just read, of so many tokens. */
  begin(model: FrozenModel, memory: number): Promise<void>;
  /** Adds what some tokens of a pass look at; the pass must be the model's last. */
  observe(model: FrozenModel, pass: ObservedPass, rows: Rows): Promise<void>;
  /** Per layer `[kvHeads, memory]`. */
  labels(): readonly Float32Array[];
  dispose(): Promise<void>;
}

/** Rows whose attention is held at once. */
const rowsAtOnce = 64;

function* blocks({ begin, end }: Rows): Generator<Rows> {
  for (let at = begin; at < end; at += rowsAtOnce) yield { begin: at, end: Math.min(end, at + rowsAtOnce) };
}

function queriesOf(shape: ModelShape, pass: ObservedPass, layer: number, { begin, end }: Rows): Numbers {
  const width = shape.heads * shape.headDim;
  const data = pass.queries[layer]?.subarray(begin * width, end * width) ?? new Float32Array(0);
  return { data, dimensions: [end - begin, width] };
}

/** Keys or values of a layer's first units, `[kvHeads, units, headDim]`. */
function firstUnits(model: FrozenModel, layer: number, which: 'keys' | 'values', units: number): Numbers {
  const { kvHeads, headDim } = model.shape;
  const data = new Float32Array(kvHeads * units * headDim);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const all = model.units(layer, kvHead)[which];
    data.set(all.subarray(0, units * headDim), kvHead * units * headDim);
  }
  return { data, dimensions: [kvHeads, units, headDim] };
}

/** Keeps the larger of two labels. */
function raise(labels: Float32Array, seen: Float32Array): void {
  for (let i = 0; i < labels.length; i++) labels[i] = Math.max(labels[i] ?? -Infinity, seen[i] ?? -Infinity);
}

function lowest(shape: ModelShape, memory: number): Float32Array[] {
  return shape.layers.map(() => new Float32Array(shape.kvHeads * memory).fill(-Infinity));
}

/** See {@link buildLogitLabelGraph}. */
class PublishedLabels implements LabelPass {
  private memory = 0;
  private found: Float32Array[] = [];

  constructor(private readonly session: GraphSession) {}

  begin(model: FrozenModel, memory: number): Promise<void> {
    this.memory = memory;
    this.found = lowest(model.shape, memory);
    return Promise.resolve();
  }

  async observe(model: FrozenModel, pass: ObservedPass, rows: Rows): Promise<void> {
    for (const [layer, labels] of this.found.entries()) {
      const keys = firstUnits(model, layer, 'keys', this.memory);
      for (const block of blocks(rows)) {
        const queries = queriesOf(model.shape, pass, layer, block);
        const inputs = { [labelNames.queries]: queries, [labelNames.keys]: keys };
        const output = await this.session.run(inputs, { [labelNames.labels]: undefined });
        raise(labels, output(labelNames.labels));
      }
    }
  }

  labels(): readonly Float32Array[] {
    return this.found;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}

/** WᵀW of each query head's columns of the output projection, `[heads, headDim, headDim]`. */
function outputGram(matrix: Float32Array, { hidden, heads, headDim }: ModelShape): Float32Array {
  const gram = new Float32Array(heads * headDim * headDim);
  const width = heads * headDim;
  for (let head = 0; head < heads; head++) {
    const target = gram.subarray(head * headDim * headDim, (head + 1) * headDim * headDim);
    for (let row = 0; row < hidden; row++) {
      const weights = matrix.subarray(row * width + head * headDim, row * width + (head + 1) * headDim);
      for (let i = 0; i < headDim; i++) {
        const weight = weights[i] ?? 0;
        const offset = i * headDim;
        for (let j = 0; j < headDim; j++) target[offset + j] = (target[offset + j] ?? 0) + weight * (weights[j] ?? 0);
      }
    }
  }
  return gram;
}

/** See {@link buildContributionLabelGraph}. */
class ContributionLabels implements LabelPass {
  private memory = 0;
  private found: Float32Array[] = [];
  private norms: Numbers[] = [];

  constructor(
    private readonly session: GraphSession,
    private readonly normSession: GraphSession,
    /** Per layer, WᵀW of the output projection's parts. */
    private readonly grams: readonly Float32Array[],
  ) {}

  async begin(model: FrozenModel, memory: number): Promise<void> {
    const { heads, kvHeads, headDim } = model.shape;
    const group = heads / kvHeads;
    this.memory = memory;
    this.found = lowest(model.shape, memory);
    this.norms = [];
    for (const [layer, gram] of this.grams.entries()) {
      const output = await this.normSession.run(
        {
          [labelNames.values]: firstUnits(model, layer, 'values', memory),
          [labelNames.gram]: { data: gram, dimensions: [kvHeads, group, headDim, headDim] },
        },
        { [labelNames.outputNorms]: undefined },
      );
      this.norms.push({ data: output(labelNames.outputNorms), dimensions: [kvHeads, group, memory] });
    }
  }

  async observe(model: FrozenModel, pass: ObservedPass, rows: Rows): Promise<void> {
    const { shape, length } = model;
    const firstSlot = length - pass.tokens;
    for (const [layer, labels] of this.found.entries()) {
      const keys = firstUnits(model, layer, 'keys', length);
      const outputNorms = this.norms[layer] ?? { data: new Float32Array(0), dimensions: [0] };
      for (const block of blocks(rows)) {
        const count = block.end - block.begin;
        const output = await this.session.run(
          {
            [labelNames.queries]: queriesOf(shape, pass, layer, block),
            [labelNames.keys]: keys,
            [labelNames.mask]: {
              data: causalMask(layerOf(shape, layer), length, {
                begin: firstSlot + block.begin,
                end: firstSlot + block.end,
              }),
              dimensions: [count, length],
            },
            [labelNames.inverseNorms]: {
              data: inverseNorms(shape, pass.headInputs.hidden[layer], block),
              dimensions: [count],
            },
            [labelNames.outputNorms]: outputNorms,
          },
          { [labelNames.labels]: undefined },
          { [labelNames.memory]: [this.memory] },
        );
        raise(labels, output(labelNames.labels));
      }
    }
  }

  labels(): readonly Float32Array[] {
    return this.found;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
    await this.normSession.dispose();
  }
}

/** 0 where the token in a slot sees a unit, `[slots, units]`. */
function causalMask({ window = Infinity }: LayerShape, units: number, slots: Rows): Float32Array {
  const mask = new Float32Array((slots.end - slots.begin) * units).fill(maskedLogit);
  for (let slot = slots.begin; slot < slots.end; slot++) {
    const row = (slot - slots.begin) * units;
    mask.fill(0, row + Math.max(0, slot + 1 - window), row + slot + 1);
  }
  return mask;
}

function inverseNorms({ hidden }: ModelShape, states: Float32Array | undefined, rows: Rows): Float32Array {
  return Float32Array.from({ length: rows.end - rows.begin }, (_, index) => {
    const begin = (rows.begin + index) * hidden;
    const state = states?.subarray(begin, begin + hidden) ?? new Float32Array(0);
    const norm = Math.sqrt(state.reduce((sum, value) => sum + value * value, 0));
    return 1 / Math.max(norm, 1e-6);
  });
}

/**
 * Opens what makes labels of a kind.
 * @param grams what {@link gramsOf} read of the model's weights
 * @throws LocretError engine-failed
 */
export async function openLabelPass(
  kind: LabelKind,
  shape: ModelShape,
  grams: readonly Float32Array[],
  threads: number,
): Promise<LabelPass> {
  const open = (graph: Uint8Array): Promise<GraphSession> => GraphSession.open(graph, 'making labels', threads);
  switch (kind) {
    case 'published':
      return new PublishedLabels(await open(buildLogitLabelGraph(shape)));
    case 'contribution':
    case 'reconstruction': {
      const session = await open(buildContributionLabelGraph(shape));
      return new ContributionLabels(session, await open(buildOutputNormGraph(shape)), grams);
    }
  }
}

/** What labels of a kind need of the model's weights: per layer {@link outputGram}, or nothing. */
export function gramsOf(kind: LabelKind, checkpoint: Checkpoint): readonly Float32Array[] {
  const { shape } = checkpoint;
  if (kind === 'published') return [];
  return shape.layers.map((_, layer) => outputGram(checkpoint.linear(layer, 'attentionOutput').read(), shape));
}
