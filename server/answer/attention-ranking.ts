import type { AttentionMass } from '../engine/engine.js';
import type { SourcePosition } from '../memory/contents/memory.js';
import { definitionAround } from '../repository/definition-around.js';
import type { Definition } from '../repository/source.js';
import type { FileAttention } from './answer.js';

/** A piece of the repository that attention can fall on: a definition, or some lines of a file without an outline. */
export interface AttendedPassage {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly definition?: Definition;
  /** Standard deviations above what is expected when the question does not matter. */
  readonly score: number;
}

export interface AttentionRanking {
  /** Best first; only scores above 0. */
  readonly passages: readonly AttendedPassage[];
  /** Best first; only scores above 0. */
  readonly files: readonly FileAttention[];
}

/** What the ranking must know of a memory. */
export interface AttendedMemory {
  locate(tokenIndex: number): SourcePosition | undefined;
  readonly definitions: readonly Definition[];
}

/** Lines of a passage in a file without an outline. */
const windowLines = 30;

interface Difference {
  readonly tokenIndex: number;
  readonly value: number;
}

function massByToken(attention: AttentionMass, end: number): Map<number, number> {
  const byToken = new Map<number, number>();
  let total = 0;
  for (let i = 0; i < attention.tokenIndices.length; i++) {
    const token = attention.tokenIndices[i] ?? 0;
    const mass = attention.mass[i] ?? 0;
    if (token >= end || !(mass > 0)) continue;
    byToken.set(token, (byToken.get(token) ?? 0) + mass);
    total += mass;
  }
  for (const [token, mass] of byToken) byToken.set(token, mass / total);
  return byToken;
}

function median(values: Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Standard deviation of most values, whatever a few outliers are (median absolute deviation, scaled for normal ones). */
function robustDeviation(values: Float64Array): number {
  return 1.4826 * median(values.map(Math.abs));
}

/** The share of tokens, by mass, that counts as heavy. */
const heavyShare = 0.05;

/**
 * Per token, how much more attention the question pays it than a neutral question does, in standard deviations.
 *
 * The neutral question takes out what every question attends to (attention sinks: first tokens, line ends, headers).
 * What is compared is the square roots of the masses: their spread does not grow with the mass, as for counts. What
 * remains of it for the sinks, whose mass wobbles by some percent from question to question, is estimated from the
 * heavy tokens themselves, so that a sink's wobble, large in mass, does not outweigh a real hit.
 */
function differences(question: AttentionMass, neutral: AttentionMass, end: number): Difference[] {
  const asked = massByToken(question, end);
  const usual = massByToken(neutral, end);
  const tokens = [...new Set([...asked.keys(), ...usual.keys()])].sort((a, b) => a - b);
  if (tokens.length === 0) return [];
  const before = Float64Array.from(tokens, (token) => Math.sqrt(usual.get(token) ?? 0));
  const raw = Float64Array.from(tokens, (token, i) => Math.sqrt(asked.get(token) ?? 0) - (before[i] ?? 0));
  const centre = median(raw);
  const centred = raw.map((value) => value - centre);
  const heaviest = before.toSorted()[Math.floor(before.length * (1 - heavyShare))] ?? 0;
  const wobble = robustDeviation(
    centred
      .map((value, i) => value / (before[i] ?? 1))
      .filter((_, i) => (before[i] ?? 0) > 0 && (before[i] ?? 0) >= heaviest),
  );
  const plain = Math.sqrt(centred.reduce((sum, value) => sum + value ** 2, 0) / centred.length);
  const everywhere = robustDeviation(centred) || plain;
  if (!(everywhere > 0)) return [];
  return tokens.map((tokenIndex, i) => {
    const deviation = Math.hypot(everywhere, wobble * (before[i] ?? 0));
    return { tokenIndex, value: (centred[i] ?? 0) / deviation };
  });
}

/** Sum over n tokens, divided by √n: of equal spread for long and short passages when there is nothing to find. */
class Evidence {
  private sum = 0;
  private count = 0;

  add(value: number): void {
    this.sum += value;
    this.count += 1;
  }

  get score(): number {
    return this.sum / Math.sqrt(this.count);
  }
}

interface Collected {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly definition?: Definition;
  readonly evidence: Evidence;
}

/** Finds the innermost definition of a line. */
class LineOwners {
  private readonly byPath = new Map<string, Definition[]>();
  private last: { readonly path: string; readonly line: number; readonly owner: Definition | undefined } | undefined;

  constructor(definitions: readonly Definition[]) {
    for (const definition of definitions) {
      if (definition.kind === 'field') continue;
      const list = this.byPath.get(definition.path);
      if (list === undefined) this.byPath.set(definition.path, [definition]);
      else list.push(definition);
    }
  }

  hasOutline(path: string): boolean {
    return this.byPath.has(path);
  }

  /** Asked for token after token, so the last line's answer is kept. */
  owner(path: string, line: number): Definition | undefined {
    if (this.last?.path !== path || this.last.line !== line) {
      this.last = { path, line, owner: definitionAround(this.byPath.get(path) ?? [], line) };
    }
    return this.last.owner;
  }
}

/**
 * Ranks files and definitions by the attention that a question pays to their cache units beyond what a neutral question
 * pays.
 *
 * @param question attention of the question's tokens to the retained cache
 * @param neutral attention of a question that asks for nothing in particular, over the same cache
 * @param end token indices from here on are not the memory's and are left out
 */
export function rankByAttention(
  memory: AttendedMemory,
  question: AttentionMass,
  neutral: AttentionMass,
  end: number,
): AttentionRanking {
  const owners = new LineOwners(memory.definitions);
  const files = new Map<string, Evidence>();
  const passages = new Map<Definition | string, Collected>();
  for (const { tokenIndex, value } of differences(question, neutral, end)) {
    const position = memory.locate(tokenIndex);
    if (position === undefined) continue;
    const { path, line } = position;
    let file = files.get(path);
    if (file === undefined) files.set(path, (file = new Evidence()));
    file.add(value);
    const definition = owners.owner(path, line);
    if (definition === undefined && owners.hasOutline(path)) continue;
    const begin = line - ((line - 1) % windowLines);
    const key = definition ?? `${path}:${begin}`;
    let passage = passages.get(key);
    if (passage === undefined) {
      passage =
        definition === undefined
          ? { path, line: begin, endLine: begin + windowLines - 1, evidence: new Evidence() }
          : { path, line: definition.line, endLine: definition.endLine, definition, evidence: new Evidence() };
      passages.set(key, passage);
    }
    passage.evidence.add(value);
  }
  return {
    passages: [...passages.values()]
      .map(({ evidence, ...passage }) => ({ ...passage, score: evidence.score }))
      .filter((passage) => passage.score > 0)
      .sort((a, b) => b.score - a.score),
    files: [...files]
      .map(([path, evidence]) => ({ path, score: evidence.score }))
      .filter((file) => file.score > 0)
      .sort((a, b) => b.score - a.score),
  };
}
