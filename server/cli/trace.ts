import { mkdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { chosenDevice } from '../backends/choose-backend.js';
import { backendByName, backendNames } from '../backends/index.js';
import { type CachePrecision, cachePrecisions, type WeightPrecision, weightPrecisions } from '../contract/words.js';
import type { CachePlan, Engine, EngineDescription } from '../engine/engine.js';
import { openEngine } from '../engine/remote-engine.js';
import { traceRun, type TraceResult } from '../trace/trace.js';
import { LocretError, messageOf, systemErrorCode } from '../errors.js';
import { policyByName, policyNames, trainingFreeNotice, trainingFreePolicy } from '../eviction/policy-by-name.js';
import type { PolicyName } from '../eviction/policy.js';
import { writeSafetensors } from '../model/safetensors-writer.js';
import { cacheFolder } from '../workspace/cache-folder.js';
import { interruptSignal } from './exit.js';
import { oneOf, userPath, wholeNumber } from './options.js';

interface TraceCommandOptions {
  readonly model: string;
  readonly heads?: string;
  readonly tokens: string;
  readonly chunk: number;
  readonly budget?: number;
  readonly stabilizers: number;
  readonly local: number;
  readonly policy?: PolicyName;
  readonly backend: string;
  readonly precision: WeightPrecision;
  readonly cachePrecision: CachePrecision;
  readonly generate: number;
  readonly logits: 'last' | 'all';
  readonly threads: number;
  readonly out: string;
}

const description = `
Reads a prompt of token ids in chunks as Locret does, evicting all but the best cache units of each KV head after every
chunk, generates greedily, and writes down every decision:

  trace.json                  chunk by chunk, layer by layer: scores, what was kept and by which margin (lists are
                              indexed by KV head), the tail that is read without eviction, logits, generated ids
  trace_logits.safetensors    logits (float32 [1, vocabulary], or [tokens, vocabulary] with --logits all) and
                              generated_ids (int64)

Without --budget nothing is evicted. Without --heads the units are ranked by a training-free policy: chunk_scores are
then empty, and kept_scores hold what the policy ranked the kept units by.`;

async function readTokens(file: string): Promise<Int32Array> {
  const remedy = 'Give a file with one JSON array of token ids, such as [1, 15, 7].';
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = systemErrorCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new LocretError('invalid-argument', `The tokens cannot be read from ${file}: ${reason}.`, remedy);
  }
  if (!Array.isArray(parsed)) throw new LocretError('invalid-argument', `${file} holds no JSON array.`, remedy);
  const ids: unknown[] = parsed;
  return Int32Array.from(ids, (id, index) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 2 ** 31) return id;
    throw new LocretError('invalid-argument', `Item ${index} of ${file} is ${JSON.stringify(id)}.`, remedy);
  });
}

/** The policy that was asked for, or the best that what was given allows. */
function policyOf({ policy, heads }: TraceCommandOptions): PolicyName {
  const chosen = policy ?? (heads === undefined ? trainingFreePolicy : 'locret');
  if (heads !== undefined || !policyByName(chosen).needsRetainingHeads) return chosen;
  throw new LocretError(
    'invalid-argument',
    `The policy "${chosen}" needs retaining heads.`,
    `Give them with --heads, or choose another policy: ${policyNames.join(', ')}.`,
  );
}

/** Fixed sizes for a prompt: the cache holds no more than this run needs. */
function planOf(options: TraceCommandOptions, tokens: number): CachePlan {
  const { budget = Infinity, chunk, stabilizers, local, generate } = options;
  if (stabilizers > budget) {
    throw new LocretError(
      'invalid-argument',
      `${stabilizers} stabilizers do not fit in a budget of ${budget} cache units.`,
      'Give at most as many stabilizers as the budget.',
    );
  }
  const tail = Math.min(local, tokens);
  const chunked = tokens - tail;
  const whileReading = Math.min(chunked, budget + chunk);
  const afterwards = Math.min(chunked, budget) + tail + generate;
  return { budget, chunk, stabilizers, pinned: 0, capacity: Math.max(1, whileReading, afterwards) };
}

/** @throws LocretError disk-full, or invalid-argument naming the folder */
async function inFolder(folder: string, write: () => Promise<void>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await write();
  } catch (error) {
    if (error instanceof LocretError) throw error;
    const full = systemErrorCode(error) === 'ENOSPC';
    throw new LocretError(
      full ? 'disk-full' : 'invalid-argument',
      `The trace cannot be written to ${folder}: ${messageOf(error)}.`,
      full
        ? 'Make room on that disk, or choose another with --out.'
        : 'Give a folder that you may write to with --out.',
      { cause: error },
    );
  }
}

/** Prints what was kept, for people. */
function summary({ trace }: TraceResult, { policy, shape }: EngineDescription, folder: string): string {
  const kept = trace.tail.cache_len_after[0] ?? 0;
  const chunked = trace.tail.begin;
  const share = Math.round((100 * (kept - (trace.tail.end - chunked))) / Math.max(1, chunked));
  return (
    `${trace.meta.prompt_len} tokens, ${trace.chunks.length} chunks: ` +
    `${kept} cache units in each of ${shape.layers.length} × ${shape.kvHeads} KV heads by ${policy} ` +
    `(${share} % of the ${chunked} tokens before the tail). Written to ${folder}.`
  );
}

async function run(options: TraceCommandOptions): Promise<void> {
  const policy = policyOf(options);
  const tokens = await readTokens(options.tokens);
  const plan = planOf(options, tokens.length);
  const backend = chosenDevice(backendByName(options.backend)).choose(options.cachePrecision);
  if (options.budget !== undefined && !policyByName(policy).needsRetainingHeads) {
    process.stderr.write(`${trainingFreeNotice}\n`);
  }
  const signal = interruptSignal();
  const { model, heads, precision, threads, local, generate, logits, out } = options;
  let engine: Engine | undefined;
  try {
    engine = await openEngine({
      model,
      policy,
      precision,
      plan,
      threads,
      cacheFolder: cacheFolder(),
      ...(heads === undefined ? {} : { heads }),
      backend,
    });
    const result = await traceRun(engine, tokens, { local, generate, logits, signal });
    const { vocabulary } = engine.description.shape;
    await inFolder(out, async () => {
      await writeFile(path.join(out, 'trace.json'), `${JSON.stringify(result.trace)}\n`);
      await writeSafetensors(path.join(out, 'trace_logits.safetensors'), [
        {
          name: 'logits',
          dtype: 'F32',
          shape: [result.logits.length / vocabulary, vocabulary],
          data: () => [result.logits],
        },
        {
          name: 'generated_ids',
          dtype: 'I64',
          shape: [result.trace.generated_ids.length],
          data: () => [BigInt64Array.from(result.trace.generated_ids, BigInt)],
        },
      ]);
    });
    process.stdout.write(`${summary(result, engine.description, out)}\n`);
  } finally {
    await engine?.dispose();
  }
}

/** Adds `locret trace`. */
export function registerTrace(program: Command): void {
  program
    .command('trace')
    .summary('write down what is kept of a prompt, chunk by chunk')
    .description(description.trim())
    .requiredOption('--model <folder>', 'model folder in the Hugging Face layout', userPath)
    .option('--heads <file>', 'retaining heads (safetensors)', userPath)
    .requiredOption('--tokens <file>', 'JSON array of token ids', userPath)
    .option('--chunk <tokens>', 'tokens read per pass', wholeNumber(1), 512)
    .option('--budget <units>', 'cache units every KV head keeps; without it nothing is evicted', wholeNumber(1))
    .option('--stabilizers <units>', 'newest units exempt from each eviction but the last', wholeNumber(0), 0)
    .option('--local <tokens>', 'last tokens of the prompt, read without eviction', wholeNumber(0), 0)
    .option('--policy <name>', `which cache units stay: ${policyNames.join(', ')}`, oneOf(policyNames))
    .option('--backend <name>', `where the model runs: ${backendNames.join(', ')}`, oneOf(backendNames), 'cpu')
    .option(
      '--precision <name>',
      `weights while running: ${weightPrecisions.join(', ')} (16 bits on a GPU only)`,
      oneOf(weightPrecisions),
      'float32',
    )
    .option(
      '--cache-precision <name>',
      `keys and values on a GPU: ${cachePrecisions.join(', ')}`,
      oneOf(cachePrecisions),
      'full',
    )
    .option('--generate <tokens>', 'tokens to generate, greedily', wholeNumber(0), 0)
    .option('--logits <which>', 'logits to write: last, all', oneOf(['last', 'all']), 'last')
    .option('--threads <n>', 'threads of the model', wholeNumber(1), os.availableParallelism())
    .requiredOption('--out <folder>', 'where the two files go', userPath)
    .action(run);
}
