import type { ObservedQueries, ScoredView, UnitScoring } from '../../eviction/policy.js';
import type { ModelShape } from '../../model/shape.js';
import type { DecoderState } from './decoder-state.js';
import type { PassResult } from './decoder-session.js';
import type { Patch } from '../../engine/engine.js';

/** What one scoring goes by. */
export interface ScoringPass {
  readonly scoring: UnitScoring;
  readonly state: DecoderState;
  readonly shape: ModelShape;
  /** The tokens that were read, which the cache holds at its end. */
  readonly tokens: Int32Array;
  /** The pass that read them, with what the scoring observes. */
  readonly result: PassResult;
  readonly patches: readonly Patch[];
  /** False: only the new units are scored, so that taking them back leaves no trace. */
  readonly scoresOld: boolean;
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
function surprisalOf(tokens: Int32Array, logits: Float32Array, vocabulary: number): Float32Array {
  return Float32Array.from(tokens, (token, row) =>
    row === 0 ? NaN : surprise(logits, (row - 1) * vocabulary, vocabulary, token),
  );
}

type HeadScoring = (layer: number, kvHead: number) => Float32Array;

/** Writes the scores of all heads: of the units that the pass read, or of all; not of the `behind` newest ones. */
function writeScores({ state, shape, tokens, scoresOld }: ScoringPass, behind: number, score: HeadScoring): void {
  for (let layer = 0; layer < shape.layers; layer++) {
    for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
      const { length, scores } = state.cache.head(layer, kvHead);
      const end = length - behind;
      const begin = scoresOld ? 0 : end - tokens.length;
      scores.set(score(layer, kvHead).subarray(begin, end), begin);
    }
  }
}

/**
 * Scores the units of every KV head by what a pass showed, before anything is evicted. Patches are read behind the cache
 * for it and taken back.
 */
export async function scoreUnits(pass: ScoringPass): Promise<void> {
  const { scoring, state, shape, tokens, result, patches } = pass;
  const { heads, kvHeads, headDim, vocabulary } = shape;
  const group = heads / kvHeads;
  const view = (layer: number, kvHead: number): ScoredView => ({
    layer,
    kvHead,
    added: tokens.length,
    headDim,
    ...state.cache.head(layer, kvHead),
  });
  const observed = (
    layer: number,
    kvHead: number,
    queries: Float32Array | undefined,
    rows: number,
  ): ObservedQueries => ({
    queries: queries ?? new Float32Array(0),
    rows,
    heads,
    firstHead: kvHead * group,
    group,
    firstUnit: state.cache.head(layer, kvHead).length - rows,
    firstSlot: state.cache.nextSlot - rows,
    rotation: state.rope,
  });
  switch (scoring.observes) {
    case 'queries':
      writeScores(pass, 0, (layer, kvHead) =>
        scoring.score(view(layer, kvHead), observed(layer, kvHead, result.queries[layer], tokens.length)),
      );
      return;
    case 'surprisal': {
      const surprisal = surprisalOf(tokens, result.logits, vocabulary);
      writeScores(pass, 0, (layer, kvHead) => scoring.score(view(layer, kvHead), surprisal));
      return;
    }
    case 'patches':
      for (const [index, patch] of patches.entries()) {
        const all = Int32Array.from(patch.tokens);
        await state.takenBack(async () => {
          const read = await state.pass(all, { logitRows: [all.length - 1], queries: true });
          const rows = Math.min(patch.observe, all.length);
          const skipped = (all.length - rows) * heads * headDim;
          writeScores(pass, all.length, (layer, kvHead) =>
            scoring.score(view(layer, kvHead), observed(layer, kvHead, read.queries[layer]?.subarray(skipped), rows), {
              index,
              units: all.length,
            }),
          );
        });
      }
  }
}
