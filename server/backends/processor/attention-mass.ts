import type { ModelShape } from '../../model/shape.js';
import type { AttentionMass } from '../../engine/engine.js';
import { GraphSession, type Numbers } from './graph/graph-session.js';
import { buildAttentionMassGraph, unitAttentionNames } from './graph/unit-attention.js';
import { groupQueries } from './group-queries.js';
import type { RetainedCache } from './retained-cache.js';

/** Rows whose attention is computed at once: a block's weights for all units of one KV head are held meanwhile. */
const rowsAtOnce = 64;

/** Tokens of a pass, half-open. */
interface Rows {
  readonly begin: number;
  readonly end: number;
}

/** Where queries come from: rotated, per layer `[tokens, heads * headDim]`. */
type Queries = readonly Float32Array[];

/** Computes attention that was asked for apart from the model's own: its graph is prepared when first needed. */
export class AttentionGraph {
  private opening: Promise<GraphSession> | undefined;

  constructor(
    readonly shape: ModelShape,
    private readonly threads: number,
  ) {}

  /**
   * What the queries of some tokens give to the units of one KV head, added up over the tokens and the query heads that
   * share it: softmax(q·k/√d) over the units that each token sees.
   * @param queries `[rows, group * headDim]`
   * @param keys `[units, headDim]`
   * @param ends per row: the units before this one are seen
   * @returns `[units]`; sums to rows × group
   * @throws LocretError engine-failed
   */
  async mass(queries: Numbers, keys: Float32Array, ends: Int32Array): Promise<Float32Array> {
    const { headDim } = this.shape;
    this.opening ??= GraphSession.open(
      buildAttentionMassGraph(this.shape),
      {
        doing: 'computing attention',
        remedy: 'Load the model again; if it happens again, report it with this message.',
      },
      this.threads,
    );
    const session = await this.opening;
    const output = await session.run(
      {
        [unitAttentionNames.queries]: queries,
        [unitAttentionNames.keys]: { data: keys, dimensions: [keys.length / headDim, headDim] },
      },
      { [unitAttentionNames.mass]: undefined },
      { [unitAttentionNames.first]: new Int32Array(ends.length), [unitAttentionNames.end]: ends },
    );
    return output(unitAttentionNames.mass);
  }

  async dispose(): Promise<void> {
    await (await this.opening)?.dispose();
  }
}

/**
 * Adds up which token indices queries attend to, over layers, heads and queries. Queries of single tokens are gathered, so
 * that many of them are multiplied at once.
 */
export class AttentionObserver {
  private massByToken = new Float64Array(0);
  private queries = 0;
  /** Gathered queries of single tokens, per layer `[rowsAtOnce, heads * headDim]`, and the slots before which each sees. */
  private readonly gathered: Float32Array[];
  private readonly gatheredEnds: number[] = [];

  /** @param reach only units below this slot count, and share each query's mass; Infinity: all that a query sees */
  constructor(
    private readonly graph: AttentionGraph,
    private readonly cache: RetainedCache,
    private readonly reach: number,
  ) {
    const { layers, heads, headDim } = graph.shape;
    this.gathered = layers.map(() => new Float32Array(rowsAtOnce * heads * headDim));
  }

  /**
   * Adds the attention of some tokens of the last pass, before any of its units leave or move.
   * @param rows which tokens of the pass
   * @param tokens tokens of the pass, whose units are the newest in the cache
   */
  async observePass(queries: Queries, rows: Rows, tokens: number): Promise<void> {
    await this.flush();
    for (let begin = rows.begin; begin < rows.end; begin += rowsAtOnce) {
      const block = { begin, end: Math.min(rows.end, begin + rowsAtOnce) };
      const firstEnd = this.cache.nextSlot - tokens + begin + 1;
      const ends = Int32Array.from({ length: block.end - begin }, (_, row) => firstEnd + row);
      await this.add(queries, block, ends);
    }
  }

  /** Adds the attention of a single token that was just read. Units must not leave or move until {@link mass}. */
  async observeToken(queries: Queries): Promise<void> {
    const row = this.gatheredEnds.length;
    for (const [layer, of] of queries.entries()) this.gathered[layer]?.set(of, row * of.length);
    this.gatheredEnds.push(this.cache.nextSlot);
    if (row + 1 === rowsAtOnce) await this.flush();
  }

  private async flush(): Promise<void> {
    if (this.gatheredEnds.length === 0) return;
    const ends = Int32Array.from(this.gatheredEnds);
    this.gatheredEnds.length = 0;
    await this.add(this.gathered, { begin: 0, end: ends.length }, ends);
  }

  /** @param ends slots before which each row sees */
  private async add(queries: Queries, rows: Rows, ends: Int32Array): Promise<void> {
    const { shape } = this.graph;
    const { cache, reach } = this;
    const lastEnd = ends.at(-1) ?? 0;
    for (let layer = 0; layer < shape.layers.length; layer++) {
      for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
        const { length, keys, tokenIndices } = cache.head(layer, kvHead);
        const firstSlot = cache.nextSlot - length;
        // With a reach the newest units do not count at all; where layers are unequally long, as many of each.
        const counted = Math.min(lastEnd - firstSlot, length - Math.max(0, cache.length - reach));
        const mass = await this.graph.mass(
          groupQueries(shape, queries[layer] ?? new Float32Array(0), kvHead, rows),
          keys.subarray(0, counted * shape.headDim),
          ends.map((end) => end - firstSlot),
        );
        this.addMass(tokenIndices, mass);
      }
    }
    this.queries += rows.end - rows.begin;
  }

  private addMass(tokenIndices: Int32Array, mass: Float32Array): void {
    const behind = (tokenIndices.at(-1) ?? 0) + 1;
    if (behind > this.massByToken.length) {
      const larger = new Float64Array(behind);
      larger.set(this.massByToken);
      this.massByToken = larger;
    }
    const { massByToken } = this;
    for (let unit = 0; unit < mass.length; unit++) {
      const token = tokenIndices[unit] ?? 0;
      massByToken[token] = (massByToken[token] ?? 0) + (mass[unit] ?? 0);
    }
  }

  /** The mass so far, by ascending token index; it sums to 1. @throws LocretError engine-failed */
  async mass(): Promise<AttentionMass> {
    await this.flush();
    const { layers, heads } = this.graph.shape;
    const all = layers.length * heads * this.queries;
    const seen: number[] = [];
    for (const [token, mass] of this.massByToken.entries()) if (mass !== 0) seen.push(token);
    const tokenIndices = Int32Array.from(seen);
    return { tokenIndices, mass: Float32Array.from(tokenIndices, (token) => (this.massByToken[token] ?? 0) / all) };
  }
}
