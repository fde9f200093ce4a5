import type { LabelKind } from '../contract/words.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { HeadUnits } from '../eviction/policy.js';
import { layerOf, type ModelShape } from '../model/shape.js';
import { GraphSession, type Numbers } from '../backends/processor/graph/graph-session.js';
import { groupQueries } from '../backends/processor/group-queries.js';
import {
  buildContributionLabelGraph,
  buildLogitLabelGraph,
  buildOutputGramGraph,
  buildOutputNormGraph,
  labelNames,
} from './graphs/label-graphs.js';
import type { FrozenModel, ObservedPass } from './frozen-model.js';
import { trainingPurpose } from './training-purpose.js';

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

function queriesOf(shape: ModelShape, pass: ObservedPass, layer: number, kvHead: number, rows: Rows): Numbers {
  return groupQueries(shape, pass.queries[layer] ?? new Float32Array(0), kvHead, rows);
}

/** Keys or values of a head's first units, read in place. */
function firstUnits({ headDim }: ModelShape, all: Float32Array, units: number): Numbers {
  return { data: all.subarray(0, units * headDim), dimensions: [units, headDim] };
}

/** The labels of every KV head of every layer, in the order of layers. */
class HeadLabels {
  private readonly layers: Float32Array[];

  constructor(
    private readonly shape: ModelShape,
    private readonly memory: number,
  ) {
    const size = shape.kvHeads * memory;
    this.layers = shape.layers.map(() => new Float32Array(size).fill(-Infinity));
  }

  /** Does something for every KV head, one after the other, with the head's place among all. */
  async forEach(task: (layer: number, kvHead: number, index: number) => Promise<void>): Promise<void> {
    const { layers, kvHeads } = this.shape;
    for (let layer = 0; layer < layers.length; layer++)
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) await task(layer, kvHead, layer * kvHeads + kvHead);
  }

  /** Keeps the larger of two labels. */
  raise(layer: number, kvHead: number, seen: Float32Array): void {
    const begin = kvHead * this.memory;
    const labels = this.layers[layer]?.subarray(begin, begin + this.memory) ?? new Float32Array(0);
    for (let i = 0; i < labels.length; i++) labels[i] = Math.max(labels[i] ?? -Infinity, seen[i] ?? -Infinity);
  }

  /** Per layer `[kvHeads, memory]`. */
  get all(): readonly Float32Array[] {
    return this.layers;
  }
}

/** See {@link buildLogitLabelGraph}. */
class PublishedLabels implements LabelPass {
  private memory = 0;
  private found: HeadLabels;

  constructor(
    private readonly shape: ModelShape,
    private readonly session: GraphSession,
  ) {
    this.found = new HeadLabels(shape, 0);
  }

  begin(_model: FrozenModel, memory: number): Promise<void> {
    this.memory = memory;
    this.found = new HeadLabels(this.shape, memory);
    return Promise.resolve();
  }

  async observe(model: FrozenModel, pass: ObservedPass, rows: Rows): Promise<void> {
    const { shape } = this;
    await this.found.forEach(async (layer, kvHead) => {
      const keys = firstUnits(shape, model.units(layer, kvHead).keys, this.memory);
      for (const block of blocks(rows)) {
        const queries = queriesOf(shape, pass, layer, kvHead, block);
        const inputs = { [labelNames.queries]: queries, [labelNames.keys]: keys };
        const output = await this.session.run(inputs, { [labelNames.labels]: undefined });
        this.found.raise(layer, kvHead, output(labelNames.labels));
      }
    });
  }

  labels(): readonly Float32Array[] {
    return this.found.all;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}

/** See {@link buildContributionLabelGraph}. */
class ContributionLabels implements LabelPass {
  private found: HeadLabels;
  /** By the place of the KV head among all. */
  private norms: Numbers[] = [];

  constructor(
    private readonly shape: ModelShape,
    private readonly session: GraphSession,
    private readonly normSession: GraphSession,
    /** Per layer, WᵀW of the output projection's parts. */
    private readonly grams: readonly Float32Array[],
  ) {
    this.found = new HeadLabels(shape, 0);
  }

  async begin(model: FrozenModel, memory: number): Promise<void> {
    const { heads, kvHeads, headDim } = this.shape;
    const group = heads / kvHeads;
    const size = group * headDim * headDim;
    this.found = new HeadLabels(this.shape, memory);
    this.norms = [];
    await this.found.forEach(async (layer, kvHead, index) => {
      const gram = this.grams[layer]?.subarray(kvHead * size, (kvHead + 1) * size) ?? new Float32Array(0);
      const output = await this.normSession.run(
        {
          [labelNames.values]: firstUnits(this.shape, model.units(layer, kvHead).values, memory),
          [labelNames.gram]: { data: gram, dimensions: [group, headDim, headDim] },
        },
        { [labelNames.outputNorms]: undefined },
      );
      this.norms[index] = { data: output(labelNames.outputNorms), dimensions: [group, memory] };
    });
  }

  async observe(model: FrozenModel, pass: ObservedPass, rows: Rows): Promise<void> {
    await this.found.forEach(async (layer, kvHead, index) => {
      const units = model.units(layer, kvHead);
      for (const block of blocks(rows)) {
        const seen = await this.contributions(pass, { layer, kvHead, index, units }, block);
        this.found.raise(layer, kvHead, seen);
      }
    });
  }

  private async contributions(
    pass: ObservedPass,
    head: { readonly layer: number; readonly kvHead: number; readonly index: number; readonly units: HeadUnits },
    rows: Rows,
  ): Promise<Float32Array> {
    const { shape } = this;
    const { layer, kvHead, index, units } = head;
    const { window = Infinity } = layerOf(shape, layer);
    const count = rows.end - rows.begin;
    // A token sees itself and what lies before it.
    const firstEnd = units.length - pass.tokens + rows.begin + 1;
    const end = Int32Array.from({ length: count }, (_, row) => firstEnd + row);
    const output = await this.session.run(
      {
        [labelNames.queries]: queriesOf(shape, pass, layer, kvHead, rows),
        [labelNames.keys]: firstUnits(shape, units.keys, units.length),
        [labelNames.stateNorms]: {
          data: stateNorms(shape, pass.headInputs.hidden[layer], rows),
          dimensions: [count],
        },
        [labelNames.outputNorms]: this.norms[index] ?? { data: new Float32Array(0), dimensions: [0, 0] },
      },
      { [labelNames.labels]: undefined },
      { [labelNames.first]: end.map((slot) => Math.max(0, slot - window)), [labelNames.end]: end },
    );
    return output(labelNames.labels);
  }

  labels(): readonly Float32Array[] {
    return this.found.all;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
    await this.normSession.dispose();
  }
}

/** log ‖h‖ of some rows of hidden states. */
function stateNorms({ hidden }: ModelShape, states: Float32Array | undefined, rows: Rows): Float32Array {
  return Float32Array.from({ length: rows.end - rows.begin }, (_, index) => {
    const begin = (rows.begin + index) * hidden;
    const state = states?.subarray(begin, begin + hidden) ?? new Float32Array(0);
    const norm = Math.sqrt(state.reduce((sum, value) => sum + value * value, 0));
    return Math.log(Math.max(norm, 1e-6));
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
  const open = (graph: Uint8Array): Promise<GraphSession> =>
    GraphSession.open(graph, trainingPurpose('making labels'), threads);
  switch (kind) {
    case 'published':
      return new PublishedLabels(shape, await open(buildLogitLabelGraph(shape)));
    case 'contribution':
    case 'reconstruction': {
      const session = await open(buildContributionLabelGraph(shape));
      return new ContributionLabels(shape, session, await open(buildOutputNormGraph(shape)), grams);
    }
  }
}

/**
 * What labels of a kind need of the model's weights: per layer WᵀW of each query head's part W of the output projection,
 * `[heads, headDim, headDim]`, or nothing.
 * @throws LocretError engine-failed
 */
export async function gramsOf(
  kind: LabelKind,
  checkpoint: Checkpoint,
  threads: number,
): Promise<readonly Float32Array[]> {
  if (kind === 'published') return [];
  const { shape } = checkpoint;
  const purpose = trainingPurpose('reading the output projections');
  const session = await GraphSession.open(buildOutputGramGraph(shape), purpose, threads);
  try {
    const grams: Float32Array[] = [];
    for (const layer of shape.layers.keys()) {
      const data = checkpoint.linear(layer, 'attentionOutput').read();
      const dimensions = [shape.hidden, shape.heads * shape.headDim];
      const output = await session.run(
        { [labelNames.projection]: { data, dimensions } },
        { [labelNames.gram]: undefined },
      );
      grams.push(output(labelNames.gram));
    }
    return grams;
  } finally {
    await session.dispose();
  }
}
