import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { LocretError, messageOf, systemErrorCode } from '../../errors.js';
import type { HeadInput, ProcessorPrecision } from '../../contract/words.js';
import type { Checkpoint, RetainingHeads } from '../../model/checkpoint.js';
import { layerOf, type ModelShape } from '../../model/shape.js';
import { attentionInputs, maskedLogit, type Steering, steeringOf } from './graph/attention.js';
import { buildDecoderGraph, decoderInputs, decoderOutputs } from './graph/decoder-graph.js';
import { int64 } from './graph/int64.js';
import { PackedWeights } from './graph/packed-weights.js';
import type { RopeTables } from '../../model/rope-table.js';
import type { NewUnits, RetainedCache } from './retained-cache.js';
import { forbidTelemetry } from '../../engine/telemetry.js';

/** What a session is built from. */
export interface DecoderSessionOptions {
  readonly checkpoint: Checkpoint;
  readonly heads: RetainingHeads | undefined;
  readonly precision: ProcessorPrecision;
  readonly threads: number;
  /** Tokens of the usual pass. */
  readonly chunk: number;
  /** Where packed weights and the graph lie. */
  readonly cacheFolder: string;
  /** Inputs of retaining heads that passes give out, for training. */
  readonly headInputs?: readonly HeadInput[];
  /** Whether layers may hold different numbers of cache units. */
  readonly layersDiffer?: boolean;
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

/** Lets a single token see the units below `length`, and of those the ones within its window. */
function maskPast(mask: Float32Array, length: number, window = Infinity): void {
  const first = Math.max(0, length + 1 - window);
  mask.fill(maskedLogit, 0, first);
  mask.fill(0, first, length);
  mask.fill(maskedLogit, length);
}

/** The decoder in onnxruntime: runs passes over a cache that lies outside of it. */
export class DecoderSession {
  private readonly pastTensors = new Map<string, Tensor>();
  /** By the tokens of a pass, and whether queries are among its outputs. */
  private readonly outputTensors = new Map<string, Record<string, Tensor | null>>();
  /** `[capacity]` */
  private readonly pastMasks = new Map<Steering, Float32Array>();
  private layout = 0;
  private readonly ropeTensors: Record<string, Tensor> = {};
  private ropes: RopeTables | undefined;

  private constructor(
    private readonly session: InferenceSession,
    private readonly OrtTensor: typeof Tensor,
    private readonly shape: ModelShape,
    private readonly withScores: boolean,
    private readonly layersDiffer: boolean,
    private readonly chunk: number,
    /** Bytes of packed weights. */
    readonly weightBytes: number,
  ) {}

  /**
   * Packs the weights unless an earlier start did, and loads them.
   * @throws LocretError disk-full when they cannot be written, engine-failed when onnxruntime refuses the graph
   */
  static async open(options: DecoderSessionOptions): Promise<DecoderSession> {
    const { checkpoint, heads, precision, threads, cacheFolder, headInputs = [] } = options;
    const windows = new Set(checkpoint.shape.layers.map(({ window }) => window));
    const layersDiffer = options.layersDiffer === true || windows.size > 1;
    const file = (kind: string, source: string): PackedWeights =>
      new PackedWeights(cacheFolder, `${kind}-${precision}-${source.slice(0, 16)}.weights`, source);
    const weights = file('backbone', checkpoint.fingerprint);
    const headWeights = file('heads', heads?.fingerprint ?? '');
    const graph = buildDecoderGraph({ checkpoint, heads, precision, weights, headWeights, headInputs, layersDiffer });
    weights.write();
    if (heads !== undefined) headWeights.write();
    const graphFile = writeGraph(cacheFolder, graph);
    forbidTelemetry();
    // Loaded here: who only plans where a model runs does not need the library.
    const onnxruntime = await import('onnxruntime-node');
    let session: InferenceSession;
    try {
      session = await onnxruntime.InferenceSession.create(graphFile, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 3,
      });
    } catch (error) {
      throw engineFailure(`loading ${checkpoint.place}`, error);
    }
    return new DecoderSession(
      session,
      onnxruntime.Tensor,
      checkpoint.shape,
      heads !== undefined,
      layersDiffer,
      options.chunk,
      weights.bytes + (heads === undefined ? 0 : headWeights.bytes),
    );
  }

  /**
   * Runs the tokens of a pass in the slots behind the cache, which is read and not changed.
   * @throws LocretError engine-failed
   */
  async run(cache: RetainedCache, ropes: RopeTables, pass: Pass): Promise<PassResult> {
    const feeds = this.feeds(cache, ropes, pass);
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
      isUsual ? new this.OrtTensor('float32', new Float32Array(count * width), [1, count, width]) : null;
    const logits = isUsual ? new this.OrtTensor('float32', new Float32Array(vocabulary), [1, 1, vocabulary]) : null;
    const fetches: Record<string, Tensor | null> = { [decoderOutputs.logits]: logits };
    for (const layer of layers.keys()) {
      fetches[decoderOutputs.newKey(layer)] = output(kvHeads * headDim);
      fetches[decoderOutputs.newValue(layer)] = output(kvHeads * headDim);
      if (this.withScores) fetches[decoderOutputs.score(layer)] = output(kvHeads);
      if (queries) fetches[decoderOutputs.query(layer)] = output(heads * headDim);
      for (const input of headInputs) fetches[decoderOutputs.headInput(layer, input)] = null;
    }
    if (isUsual) this.outputTensors.set(kind, fetches);
    return fetches;
  }

  private feeds(cache: RetainedCache, ropes: RopeTables, { tokens, logitRows }: Pass): Record<string, Tensor> {
    this.refreshPast(cache);
    this.refreshRopes(ropes);
    const count = tokens.length;
    return {
      ...this.ropeTensors,
      ...Object.fromEntries(this.pastTensors),
      ...this.steering(cache, count),
      [decoderInputs.tokens]: new this.OrtTensor('int64', int64(tokens), [1, count]),
      [decoderInputs.slots]: new this.OrtTensor('int64', int64(countFrom(cache.nextSlot, count)), [1, count]),
      [decoderInputs.logitRows]: new this.OrtTensor('int64', int64(logitRows), [logitRows.length]),
      [attentionInputs.single]: new this.OrtTensor('bool', [count === 1], [1]),
    };
  }

  /** What tells the attention of each layer, or of all of them, how many units there are. */
  private steering(cache: RetainedCache, count: number): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    for (let layer = 0; layer < (this.layersDiffer ? this.shape.layers.length : 1); layer++) {
      const { length, capacity } = cache.layer(layer);
      const steering = steeringOf(layer, this.layersDiffer);
      const mask = this.pastMasks.get(steering) ?? new Float32Array(capacity);
      if (count === 1) maskPast(mask, length, layerOf(this.shape, layer).window);
      feeds[attentionInputs.pastMask(steering)] = new this.OrtTensor('float32', mask, [1, 1, 1, capacity]);
      feeds[attentionInputs.lastUnit(steering)] = new this.OrtTensor('int32', Int32Array.of(length + count - 1), [1]);
      feeds[attentionInputs.totalLength(steering)] = new this.OrtTensor('int32', Int32Array.of(length + count), []);
    }
    return feeds;
  }

  private layers<Result>(of: (layer: number) => Result): Result[] {
    return this.shape.layers.map((_, layer) => of(layer));
  }

  /** Tensors over the cache's own arrays: onnxruntime reads them in place. They change only with the cache's layout. */
  private refreshPast(cache: RetainedCache): void {
    if (this.layout === cache.layout) return;
    const { layers, kvHeads, headDim } = this.shape;
    this.layout = cache.layout;
    for (const layer of layers.keys()) {
      const { capacity, keys, values } = cache.layer(layer);
      const dimensions = [1, kvHeads, capacity, headDim];
      this.pastTensors.set(attentionInputs.pastKey(layer), new this.OrtTensor('float32', keys, dimensions));
      this.pastTensors.set(attentionInputs.pastValue(layer), new this.OrtTensor('float32', values, dimensions));
      this.pastMasks.set(steeringOf(layer, this.layersDiffer), new Float32Array(capacity));
    }
  }

  private refreshRopes(ropes: RopeTables): void {
    if (this.ropes === ropes) return;
    this.ropes = ropes;
    for (const [index, { slots, pairs, cos, sin }] of ropes.all.entries()) {
      this.ropeTensors[decoderInputs.ropeCos(index)] = new this.OrtTensor('float32', cos, [slots, pairs]);
      this.ropeTensors[decoderInputs.ropeSin(index)] = new this.OrtTensor('float32', sin, [slots, pairs]);
    }
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}
