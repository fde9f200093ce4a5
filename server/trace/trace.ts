import { LocretError } from '../errors.js';
import type { ChunkReport, Engine, EngineDescription, LayerDecision } from '../engine/engine.js';
import { joinRows } from '../engine/join-rows.js';

/** One layer's part of an eviction; lists are indexed by KV head. */
export interface LayerTrace {
  readonly cache_len_before_eviction: number;
  /** Token indices that were exempt: the stabilizers. */
  readonly protected_positions: readonly (readonly number[])[];
  /** Raw scores of the chunk's tokens; empty lists without retaining heads. */
  readonly chunk_scores: readonly (readonly number[])[];
  readonly kept_positions: readonly (readonly number[])[];
  /** Into the units kept before, then the chunk's. */
  readonly kept_compact_indices: readonly (readonly number[])[];
  /** What the policy ranked the kept units by; with policy `locret` their scores. */
  readonly kept_scores: readonly (readonly number[])[];
  /** null when nothing was evicted. */
  readonly eviction_margin: readonly (number | null)[];
}

/** Every decision of one run, in the form of the official code's traces. */
export interface Trace {
  readonly meta: {
    readonly algorithm: string;
    readonly dtype: string;
    readonly prompt_len: number;
    readonly chunk_size: number;
    /** null: nothing was evicted. */
    readonly budget_size: number | null;
    readonly stabilizers: number;
    readonly local_len: number;
    readonly max_new_tokens: number;
    /** -1: generation did not stop at any token. */
    readonly eos_token_id: -1;
    readonly min_eviction_margin: number | null;
    readonly min_greedy_top1_top2_gap: number | null;
    readonly seed: number;
  };
  readonly prompt_ids: readonly number[];
  readonly chunks: readonly { readonly begin: number; readonly end: number; readonly layers: readonly LayerTrace[] }[];
  /** What was read without eviction at the end; `scores` by layer and KV head. */
  readonly tail: {
    readonly begin: number;
    readonly end: number;
    readonly scores: readonly (readonly (readonly number[])[])[];
    readonly cache_len_after: readonly number[];
  };
  readonly last_prompt_logits: readonly number[];
  readonly generated_ids: readonly number[];
  /** Largest minus second largest logit before each generated token. */
  readonly greedy_gaps: readonly number[];
}

export interface TraceOptions {
  /** Last tokens of the prompt, read without eviction. */
  readonly local: number;
  /** Tokens to generate, greedily. */
  readonly generate: number;
  readonly logits: 'last' | 'all';
  readonly signal?: AbortSignal | undefined;
}

export interface TraceResult {
  readonly trace: Trace;
  /** float32 `[rows, vocabulary]`: of every prompt token, or of the last. */
  readonly logits: Float32Array;
}

const largestLogits = 2 ** 31;

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function lists(arrays: readonly (Float32Array | Int32Array)[]): number[][] {
  return arrays.map((array) => Array.from(array));
}

function decisionsOf(report: ChunkReport): readonly LayerDecision[] {
  if (report.layers !== undefined) return report.layers;
  throw new LocretError('engine-failed', 'The engine gave no details of a chunk.', 'Build the product again.');
}

function layerTrace(decision: LayerDecision, exempt: number): LayerTrace {
  return {
    cache_len_before_eviction: decision.lengthBeforeEviction,
    // Stabilizers are the newest units and always stay: the end of what was kept.
    protected_positions: decision.keptTokens.map((kept) => (exempt === 0 ? [] : Array.from(kept.slice(-exempt)))),
    chunk_scores: lists(decision.chunkScores),
    kept_positions: lists(decision.keptTokens),
    kept_compact_indices: lists(decision.keptSlots),
    kept_scores: lists(decision.keptRanks),
    eviction_margin: decision.evictionMargin.map(finiteOrNull),
  };
}

/** Scores of the tokens that were read without eviction, by layer and KV head, joined over their chunks. */
function tailScores(reports: readonly ChunkReport[], { shape }: EngineDescription): number[][][] {
  return shape.layers.map((_, layer) =>
    Array.from({ length: shape.kvHeads }, (_, head) =>
      reports.flatMap((report) => Array.from(decisionsOf(report)[layer]?.chunkScores[head] ?? [])),
    ),
  );
}

/** Largest minus second largest of each row. */
function greedyGaps(logits: Float32Array, vocabulary: number): number[] {
  return Array.from({ length: logits.length / vocabulary }, (_, row) => {
    let first = -Infinity;
    let second = -Infinity;
    for (const logit of logits.subarray(row * vocabulary, (row + 1) * vocabulary)) {
      if (logit > first) [first, second] = [logit, first];
      else if (logit > second) second = logit;
    }
    return first - second;
  });
}

function checkPrompt(tokens: Int32Array, options: TraceOptions, { shape }: EngineDescription): void {
  if (tokens.length === 0) {
    throw new LocretError('invalid-argument', 'The prompt has no tokens.', 'Give at least one token.');
  }
  const index = tokens.findIndex((token) => token < 0 || token >= shape.vocabulary);
  if (index >= 0) {
    throw new LocretError(
      'invalid-argument',
      `Token ${index} of the prompt is ${tokens[index]}; the model's vocabulary has the tokens 0 to ${shape.vocabulary - 1}.`,
      'Give the tokens of this model.',
    );
  }
  const bytes = (options.logits === 'all' ? tokens.length : 1) * shape.vocabulary * Float32Array.BYTES_PER_ELEMENT;
  if (bytes > largestLogits) {
    throw new LocretError(
      'invalid-argument',
      `The logits of ${tokens.length} tokens would take ${bytes} bytes; at most ${largestLogits} are possible.`,
      'Ask for the last logits only, or give fewer tokens.',
    );
  }
}

/**
 * Reads a prompt as Locret does (all but its last `local` tokens in chunks with eviction, the rest without), generates
 * greedily, and records every decision. The engine must be empty.
 *
 * @throws LocretError invalid-argument when the prompt is empty or not of this model
 */
export async function traceRun(engine: Engine, tokens: Int32Array, options: TraceOptions): Promise<TraceResult> {
  const { description } = engine;
  const { shape, plan } = description;
  checkPrompt(tokens, options, description);
  const { signal } = options;
  const evicting = plan.budget !== Infinity;
  const split = Math.max(0, tokens.length - options.local);
  const chunkReports: ChunkReport[] = [];
  const tailReports: ChunkReport[] = [];
  const parts: Float32Array[] = [];

  const read = async (begin: number, end: number, reports: ChunkReport[], evict: 'final' | 'none'): Promise<void> => {
    if (begin === end) return;
    const isLast = end === tokens.length;
    const { logits } = await engine.extend(tokens.subarray(begin, end), {
      evict,
      logits: options.logits === 'all' ? 'all' : isLast ? 'last' : 'none',
      detail: true,
      onChunk: (report) => reports.push(report),
      ...(signal === undefined ? {} : { signal }),
    });
    parts.push(logits);
  };
  await read(0, split, chunkReports, evicting ? 'final' : 'none');
  await read(split, tokens.length, tailReports, 'none');

  const logits = joinRows(parts);
  const { length } = await engine.stats();
  const generated = await generateGreedily(engine, options);
  const gaps = greedyGaps(generated.logits, shape.vocabulary);
  const chunks = chunkReports.map((report, index) => {
    const exempt = evicting && index < chunkReports.length - 1 ? plan.stabilizers : 0;
    return {
      begin: report.begin,
      end: report.end,
      layers: decisionsOf(report).map((decision) => layerTrace(decision, exempt)),
    };
  });
  const margins = chunkReports.flatMap((report) => decisionsOf(report).flatMap((layer) => layer.evictionMargin));
  const trace: Trace = {
    meta: {
      algorithm: `${description.policy} (compact positions)`,
      dtype: description.precision,
      prompt_len: tokens.length,
      chunk_size: plan.chunk,
      budget_size: finiteOrNull(plan.budget),
      stabilizers: plan.stabilizers,
      local_len: options.local,
      max_new_tokens: options.generate,
      eos_token_id: -1,
      min_eviction_margin: finiteOrNull(Math.min(...margins)),
      min_greedy_top1_top2_gap: finiteOrNull(Math.min(...gaps)),
      seed: greedy.seed,
    },
    prompt_ids: Array.from(tokens),
    chunks,
    tail: {
      begin: split,
      end: tokens.length,
      scores: tailScores(tailReports, description),
      cache_len_after: shape.layers.map(() => length),
    },
    last_prompt_logits: Array.from(logits.subarray(-shape.vocabulary)),
    generated_ids: generated.tokens,
    greedy_gaps: gaps,
  };
  return { trace, logits };
}

const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };

async function generateGreedily(
  engine: Engine,
  { generate, signal }: TraceOptions,
): Promise<{ readonly tokens: readonly number[]; readonly logits: Float32Array }> {
  if (generate === 0) return { tokens: [], logits: new Float32Array(0) };
  const { tokens, logits } = await engine.generate({
    maxTokens: generate,
    sampling: greedy,
    stopTokens: [],
    logits: true,
    ...(signal === undefined ? {} : { signal }),
  });
  return { tokens, logits: logits ?? new Float32Array(0) };
}
