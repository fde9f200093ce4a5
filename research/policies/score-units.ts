import { LocretError } from '../../server/errors.js';
import type { EvictionPolicy, ScoredPass } from '../../server/eviction/policy.js';
import type { HeadScoring, ObservedQueries, Rival, ScoredView } from './rival.js';

/** Tokens that are read behind each chunk and taken back, so that a policy can score units by their queries. */
export interface Patch {
  readonly tokens: readonly number[];
  /** How many of the last tokens are observed. */
  readonly observe: number;
}

/** -log softmax(logits)[token] of one row. */
function surprise(logits: Float32Array, offset: number, vocabulary: number, token: number): number {
  let largest = -Infinity;
  for (let i = offset; i < offset + vocabulary; i++) largest = Math.max(largest, logits[i] ?? -Infinity);
  let sum = 0;
  for (let i = offset; i < offset + vocabulary; i++) sum += Math.exp((logits[i] ?? 0) - largest);
  return largest + Math.log(sum) - (logits[offset + token] ?? 0);
}

/** -log P of each token of a pass, given those before it in the cache; NaN for the first one. */
function surprisalOf({ tokens, logits, shape }: ScoredPass): Float32Array {
  const { vocabulary } = shape;
  return Float32Array.from(tokens, (token, row) =>
    row === 0 ? NaN : surprise(logits, (row - 1) * vocabulary, vocabulary, token),
  );
}

/** Writes the scores of all heads: of the units that the pass read, or of all; not of the `behind` newest ones. */
function writeScores(pass: ScoredPass, behind: number, score: (view: ScoredView) => Float32Array): void {
  const { shape, tokens, evicts } = pass;
  const { layers, kvHeads, headDim } = shape;
  for (let layer = 0; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const units = pass.units(layer, kvHead);
      const end = units.length - behind;
      const begin = evicts ? 0 : end - tokens.length;
      const scores = score({ layer, kvHead, added: tokens.length, headDim, ...units });
      units.scores.set(scores.subarray(begin, end), begin);
    }
  }
}

/** The queries of the newest units in a view. @param nextSlot the slot behind them */
function observed(
  { shape, rotation }: ScoredPass,
  { layer, kvHead, length }: ScoredView,
  queries: readonly Float32Array[],
  { rows, nextSlot, skipped = 0 }: { readonly rows: number; readonly nextSlot: number; readonly skipped?: number },
): ObservedQueries {
  const { heads, kvHeads, headDim } = shape;
  const group = heads / kvHeads;
  return {
    queries: (queries[layer] ?? new Float32Array(0)).subarray(skipped * heads * headDim),
    rows,
    heads,
    firstHead: kvHead * group,
    group,
    firstUnit: length - rows,
    firstSlot: nextSlot - rows,
    rotation: rotation(layer),
  };
}

async function scoreByPatches(
  scoring: Extract<HeadScoring, { observes: 'patches' }>,
  pass: ScoredPass,
  patches: readonly Patch[],
): Promise<void> {
  if (!pass.evicts) return;
  const areEmpty = patches.some(({ tokens, observe }) => tokens.length < 1 || observe < 1);
  if (patches.length === 0 || areEmpty) {
    throw new LocretError(
      'invalid-argument',
      `This policy scores units by patches, and got ${patches.length}, some of them empty or none.`,
      'Give the questions as patches to a policy that knows them beforehand.',
    );
  }
  for (const [index, patch] of patches.entries()) {
    const all = Int32Array.from(patch.tokens);
    const rows = Math.min(patch.observe, all.length);
    const nextSlot = pass.nextSlot + all.length;
    await pass.readBehind(all, (queries) => {
      writeScores(pass, all.length, (view) => {
        const seen = observed(pass, view, queries, { rows, nextSlot, skipped: all.length - rows });
        return scoring.score(view, seen, { index, units: all.length });
      });
    });
  }
}

/** Scores the units of every KV head by what a pass showed. */
async function scoreUnits(scoring: HeadScoring, pass: ScoredPass, patches: readonly Patch[]): Promise<void> {
  switch (scoring.observes) {
    case 'queries': {
      const seen = { rows: pass.tokens.length, nextSlot: pass.nextSlot };
      writeScores(pass, 0, (view) => scoring.score(view, observed(pass, view, pass.queries, seen)));
      return;
    }
    case 'surprisal': {
      const surprisal = surprisalOf(pass);
      writeScores(pass, 0, (view) => scoring.score(view, surprisal));
      return;
    }
    case 'patches':
      await scoreByPatches(scoring, pass, patches);
  }
}

/**
 * A rival as the product evicts by it.
 * @param patches for rivals that observe them: what is read behind a chunk, asked for at each
 */
export function evictionPolicy(
  { name, scoring, rank }: Rival,
  patches: () => readonly Patch[] = () => [],
): EvictionPolicy {
  const policy = { name, needsRetainingHeads: false, rank };
  if (scoring === undefined) return policy;
  const wants = { queries: scoring.observes === 'queries', logits: scoring.observes === 'surprisal' };
  return { ...policy, scoring: { wants, score: (pass) => scoreUnits(scoring, pass, patches()) } };
}
