import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { LocretError, messageOf, systemErrorCode } from '../../errors.js';
import type { Checkpoint, HeadInput, RetainingHeads } from '../../model/checkpoint.js';
import type { ModelShape } from '../../model/shape.js';
import { attentionInputs, type EqualLengths, headGroups, maskedLogit, steeredGroups } from './graph/attention.js';
import { buildDecoderGraph, decoderInputs, decoderOutputs } from './graph/decoder-graph.js';
import { int64Tensor } from './graph/int64-tensor.js';
import type { WeightPrecision } from './graph/linear.js';
import { PackedWeights } from './graph/packed-weights.js';
import type { RopeTable } from '../../model/rope-table.js';
import type { NewUnits, RetainedCache } from './retained-cache.js';
import { forbidTelemetry } from '../../engine/telemetry.js';

/** What a session is built from. */
export interface DecoderSessionOptions {
  readonly checkpoint: Checkpoint;
  readonly heads: RetainingHeads | undefined;
  readonly precision: WeightPrecision;
  readonly threads: number;
  /** Tokens of the usual pass. */
  readonly chunk: number;
  /** Where packed weights and the graph lie. */
  readonly cacheFolder: string;
  /** Inputs of retaining heads that passes give out, for training. */
  readonly headInputs?: readonly HeadInput[];
  /** Which KV heads always hold equally many cache units; default: those of the whole model. */
  readonly equalLengths?: EqualLengths;
}

/** One run of the model over new tokens behind the cache. */
export interface Pass {
  readonly tokens: Int32Array;
  /** Tokens of the pass whose logits are wanted; at least one. */
  readonly logitRows: readonly number[];
  /** Whether the rotated queries are wanted. */
  readonly queries: boolean;
  /** Which of the inputs of retaining heads that the session gives out are wanted; default: none. */
  readonly headInputs?: readonly HeadInput[];
}

/** What a pass gives; valid until the next one. */
export interface PassResult {
  /** `[logitRows, vocabulary]` */
  readonly logits: Float32Array;
  /** Per layer; keys rotated to the slots behind the cache. */
  readonly units: readonly NewUnits[];
  /** Per layer `[tokens, heads * headDim]`; empty unless asked for. */
  readonly queries: readonly Float32Array[];
  /** Per layer `[tokens, headInputWidth]`; empty unless asked for. */
  readonly headInputs: Readonly<Record<HeadInput, readonly Float32Array[]>>;
}

function engineFailure(doing: string, error: unknown): LocretError {
  return new LocretError(
    'engine-failed',
    `onnxruntime failed while ${doing}: ${messageOf(error)}`,
    'Load the model again; if it happens again, report it with this message.',
    { cause: error },
  );
}

/** Writes the graph beside its weights, unless it is there: onnxruntime finds them relative to its file. */
function writeGraph(folder: string, graph: Uint8Array): string {
  const file = path.join(folder, `decoder-${createHash('sha256').update(graph).digest('hex').slice(0, 16)}.onnx`);
  try {
    if (Buffer.compare(readFileSync(file), graph) === 0) return file;
  } catch {
    // Not there yet.
  }
  const temporary = `${file}.${process.pid}.partial`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(temporary, graph);
    renameSync(temporary, file);
  } catch (error) {
    if (existsSync(temporary)) rmSync(temporary);
    throw new LocretError(
      'disk-full',
      `The model's graph cannot be written to ${file}: ${messageOf(error)}.`,
      systemErrorCode(error) === 'ENOSPC'
        ? 'Free space on that disk, or set XDG_CACHE_HOME to a folder on another one.'
        : 'Make that folder writable, or set XDG_CACHE_HOME to one that is.',
      { cause: error },
    );
  }
  return file;
}

function floats(outputs: InferenceSession.ReturnType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw engineFailure('reading its outputs', new Error(`no float32 output ${name}`));
}

function countFrom(first: number, count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = first + i;
  return numbers;
}

const none = new Float32Array(0);

/** The decoder in onnxruntime: runs passes over a cache that lies outside of it. */
export class DecoderSession {
  private readonly pastTensors = new Map<string, Tensor>();
  /** By the tokens of a pass, and whether queries are among its outputs. */
  private readonly outputTensors = new Map<string, Record<string, Tensor | null>>();
  /** By the mask's name, `[capacity of the group's regions]`. */
  private readonly pastMasks = new Map<string, Float32Array>();
  private layout = 0;
  private ropeTensors: Readonly<Record<string, Tensor>> = {};
  private rope: RopeTable | undefined;

  private constructor(
    private readonly session: InferenceSession,
    private readonly shape: ModelShape,
    private readonly withScores: boolean,
    private readonly equalLengths: EqualLengths,
    private readonly chunk: number,
    /** Bytes of packed weights. */
    readonly weightBytes: number,
  ) {}

  /**
   * Packs the weights unless an earlier start did, and loads them.
   * @throws LocretError disk-full when they cannot be written, engine-failed when onnxruntime refuses the graph
   */
  static async open(options: DecoderSessionOptions): Promise<DecoderSession> {
    const { checkpoint, heads, precision, threads, cacheFolder, headInputs = [], equalLengths = 'model' } = options;
    const file = (kind: string, source: string): PackedWeights =>
      new PackedWeights(cacheFolder, `${kind}-${precision}-${source.slice(0, 16)}.weights`, source);
    const weights = file('backbone', checkpoint.fingerprint);
    const headWeights = file('heads', heads?.fingerprint ?? '');
    const graph = buildDecoderGraph({ checkpoint, heads, precision, weights, headWeights, headInputs, equalLengths });
    weights.write();
    if (heads !== undefined) headWeights.write();
    const graphFile = writeGraph(cacheFolder, graph);
    forbidTelemetry();
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(graphFile, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 3,
      });
    } catch (error) {
      throw engineFailure(`loading ${checkpoint.folder}`, error);
    }
    return new DecoderSession(
      session,
      checkpoint.shape,
      heads !== undefined,
      equalLengths,
      options.chunk,
      weights.bytes + (heads === undefined ? 0 : headWeights.bytes),
    );
  }

  /**
   * Runs the tokens of a pass in the slots behind the cache, which is read and not changed.
   * @throws LocretError engine-failed
   */
  async run(cache: RetainedCache, rope: RopeTable, pass: Pass): Promise<PassResult> {
    const feeds = this.feeds(cache, rope, pass);
    let outputs: InferenceSession.ReturnType;
    try {
      outputs = await this.session.run(feeds, this.fetches(pass));
    } catch (error) {
      throw engineFailure('running the model', error);
    }
    const headInput = (input: HeadInput): Float32Array[] =>
      pass.headInputs?.includes(input) === true
        ? this.layers((layer) => floats(outputs, decoderOutputs.headInput(layer, input)))
        : [];
    return {
      logits: floats(outputs, decoderOutputs.logits),
      units: this.layers((layer) => ({
        keys: floats(outputs, decoderOutputs.newKey(layer)),
        values: floats(outputs, decoderOutputs.newValue(layer)),
        scores: this.withScores ? floats(outputs, decoderOutputs.score(layer)) : undefined,
      })),
      queries: pass.queries ? this.layers((layer) => floats(outputs, decoderOutputs.query(layer))) : [],
      headInputs: { qkv: headInput('qkv'), hidden: headInput('hidden') },
    };
  }

  /**
   * Where the outputs go. Passes of the usual sizes, a whole chunk or one token, write into the same tensors each time:
   * fresh ones would pile up until they are collected.
   */
  private fetches({ tokens, logitRows, queries, headInputs = [] }: Pass): Record<string, Tensor | null> {
    const count = tokens.length;
    const isUsual = (count === this.chunk || count === 1) && logitRows.length === 1 && headInputs.length === 0;
    const kind = `${count} ${queries}`;
    const known = isUsual ? this.outputTensors.get(kind) : undefined;
    if (known !== undefined) return known;
    const { layers, kvHeads, headDim, heads, vocabulary } = this.shape;
    const output = (width: number): Tensor | null =>
      isUsual ? new Tensor('float32', new Float32Array(count * width), [1, count, width]) : null;
    const logits = isUsual ? new Tensor('float32', new Float32Array(vocabulary), [1, 1, vocabulary]) : null;
    const fetches: Record<string, Tensor | null> = { [decoderOutputs.logits]: logits };
    for (let layer = 0; layer < layers; layer++) {
      fetches[decoderOutputs.newKey(layer)] = output(kvHeads * headDim);
      fetches[decoderOutputs.newValue(layer)] = output(kvHeads * headDim);
      if (this.withScores) fetches[decoderOutputs.score(layer)] = output(kvHeads);
      if (queries) fetches[decoderOutputs.query(layer)] = output(heads * headDim);
      for (const input of headInputs) fetches[decoderOutputs.headInput(layer, input)] = null;
    }
    if (isUsual) this.outputTensors.set(kind, fetches);
    return fetches;
  }

  private feeds(cache: RetainedCache, rope: RopeTable, { tokens, logitRows }: Pass): Record<string, Tensor> {
    this.refreshPast(cache);
    this.refreshRope(rope);
    const count = tokens.length;
    return {
      ...this.ropeTensors,
      ...Object.fromEntries(this.pastTensors),
      ...this.steering(cache, count),
      [decoderInputs.tokens]: int64Tensor(tokens, [1, count]),
      [decoderInputs.slots]: int64Tensor(countFrom(cache.nextSlot, count), [1, count]),
      [decoderInputs.logitRows]: int64Tensor(logitRows, [logitRows.length]),
      [attentionInputs.single]: new Tensor('bool', [count === 1], [1]),
    };
  }

  /** What tells the attention of each group of heads how many units there are. */
  private steering(cache: RetainedCache, count: number): Record<string, Tensor> {
    const lengths =
      this.equalLengths === 'model' ? cache.groups(0) : this.layers((layer) => cache.groups(layer)).flat();
    const feeds: Record<string, Tensor> = {};
    for (const [index, group] of steeredGroups(this.shape, this.equalLengths).entries()) {
      const { length = 0, capacity = 0 } = lengths[index] ?? {};
      const name = attentionInputs.pastMask(group);
      const mask = this.pastMasks.get(name) ?? new Float32Array(capacity);
      if (count === 1) this.maskPast(mask, length);
      feeds[name] = new Tensor('float32', mask, [1, 1, 1, capacity]);
      feeds[attentionInputs.lastUnit(group)] = new Tensor('int32', Int32Array.of(length + count - 1), [1]);
      feeds[attentionInputs.totalLength(group)] = new Tensor('int32', Int32Array.of(length + count), []);
    }
    return feeds;
  }

  private layers<Result>(of: (layer: number) => Result): Result[] {
    return Array.from({ length: this.shape.layers }, (_, layer) => of(layer));
  }

  /** Tensors over the cache's own arrays: onnxruntime reads them in place. They change only with the cache's layout. */
  private refreshPast(cache: RetainedCache): void {
    if (this.layout === cache.layout) return;
    const { layers, headDim } = this.shape;
    this.layout = cache.layout;
    for (let layer = 0; layer < layers; layer++) {
      const units = cache.groups(layer);
      for (const [index, group] of headGroups(this.shape, this.equalLengths, layer).entries()) {
        const { capacity, keys, values } = units[index] ?? { capacity: 0, keys: none, values: none };
        const dimensions = [1, group.kvHeads, capacity, headDim];
        this.pastTensors.set(attentionInputs.pastKey(group), new Tensor('float32', keys, dimensions));
        this.pastTensors.set(attentionInputs.pastValue(group), new Tensor('float32', values, dimensions));
        this.pastMasks.set(attentionInputs.pastMask(group), new Float32Array(capacity));
      }
    }
  }

  private refreshRope(rope: RopeTable): void {
    if (this.rope === rope) return;
    this.rope = rope;
    const dimensions = [rope.slots, rope.pairs];
    this.ropeTensors = {
      [decoderInputs.ropeCos]: new Tensor('float32', rope.cos, dimensions),
      [decoderInputs.ropeSin]: new Tensor('float32', rope.sin, dimensions),
    };
  }

  /** Lets a single token see the units below `length`, and of those the ones within its sliding window. */
  private maskPast(mask: Float32Array, length: number): void {
    const { slidingWindow = Infinity } = this.shape;
    const first = Math.max(0, length + 1 - slidingWindow);
    mask.fill(maskedLogit, 0, first);
    mask.fill(0, first, length);
    mask.fill(maskedLogit, length);
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}
