import { describe, expect, it } from 'vitest';
import { rankByAttention, type AttendedMemory } from '../../../server/answer/attention-ranking.js';
import type { AttentionMass } from '../../../server/engine/engine.js';
import { seededRandom } from '../../../server/engine/random.js';
import type { Definition } from '../../../server/repository/source.js';

/** 20 files of 100 lines, 10 tokens a line; in each a function of 10 lines and one of 80; no outline in the last. */
const filesCount = 20;
const tokensPerFile = 1000;
const definitions: Definition[] = Array.from({ length: filesCount - 1 }, (_, i) => `f${i}.ts`).flatMap((path) =>
  [
    { name: 'short', line: 1, endLine: 10 },
    { name: 'long', line: 21, endLine: 100 },
  ].map(({ name, line, endLine }) => ({
    name,
    kind: 'function' as const,
    path,
    line,
    endLine,
    nameLine: line,
    container: undefined,
  })),
);
const memory: AttendedMemory = {
  definitions,
  locate: (token) =>
    token >= filesCount * tokensPerFile
      ? undefined
      : {
          path: `f${Math.floor(token / tokensPerFile)}.ts`,
          line: Math.floor((token % tokensPerFile) / 10) + 1,
          column: 1,
        },
};
const end = filesCount * tokensPerFile;

/** Mass with sinks (first tokens and line beginnings soak most of it), noise, and something on top. */
function attention(seed: number, extra: (token: number) => number = () => 0): AttentionMass {
  const random = seededRandom(seed);
  const tokenIndices = Int32Array.from({ length: end }, (_, i) => i);
  const mass = Float32Array.from(tokenIndices, (token) => {
    const sink = token < 4 ? 20_000 : token % 10 === 0 ? 50 : 1;
    return sink * (0.8 + 0.4 * random()) + extra(token);
  });
  const total = mass.reduce((sum, value) => sum + value, 0);
  return { tokenIndices, mass: mass.map((value) => value / total) };
}

const place = (passage: { path: string; line: number } | undefined): string =>
  `${passage?.path ?? ''}:${passage?.line ?? 0}`;

describe('ranking by attention', () => {
  const neutral = attention(1);

  it('finds a short definition that gets little mass beside the sinks', () => {
    const hit = attention(2, (token) => (token >= 7000 && token < 7100 && token % 10 === 3 ? 15 : 0));
    const ranking = rankByAttention(memory, hit, neutral, end);
    expect(place(ranking.passages[0])).toBe('f7.ts:1');
    expect(ranking.passages[0]?.score).toBeGreaterThan(3);
    expect(ranking.files[0]?.path).toBe('f7.ts');
  });

  it('finds a long definition over which the mass is spread thinly', () => {
    const hit = attention(3, (token) => (token >= 3200 && token < 4000 ? 0.6 : 0));
    expect(place(rankByAttention(memory, hit, neutral, end).passages[0])).toBe('f3.ts:21');
  });

  it('does not prefer long definitions, which gather more noise', () => {
    const hit = attention(6, (token) => (token >= 7000 && token < 7100 ? 0.12 : 0));
    const { passages } = rankByAttention(memory, hit, neutral, end);
    expect(place(passages[0])).toBe('f7.ts:1');
    expect(passages.slice(1).every(({ score }) => score < 4)).toBe(true);
  });

  it('finds lines of a file without an outline', () => {
    const hit = attention(4, (token) => (token >= 19_450 && token < 19_500 ? 5 : 0));
    expect(rankByAttention(memory, hit, neutral, end).passages[0]).toMatchObject({
      path: 'f19.ts',
      line: 31,
      endLine: 60,
    });
  });

  it('does not take a sink that draws a little more mass for a hit', () => {
    const wobble = attention(5, (token) => (token === 0 ? 4000 : token >= 12_000 && token < 12_050 ? 3 : 0));
    expect(place(rankByAttention(memory, wobble, neutral, end).passages[0])).toBe('f12.ts:1');
  });

  it('finds nothing where the question attends as a neutral one does', () => {
    expect(rankByAttention(memory, neutral, neutral, end)).toEqual({ passages: [], files: [] });
    expect(
      rankByAttention(
        memory,
        { tokenIndices: new Int32Array(0), mass: new Float32Array(0) },
        neutral,
        end,
      ).passages.every(({ score }) => score < 3),
    ).toBe(true);
  });

  it('leaves out tokens behind the memory, however much mass they get', () => {
    const hit = attention(2, (token) => (token >= 7000 && token < 7100 ? 5 : 0));
    const behind: AttentionMass = {
      tokenIndices: Int32Array.from([...hit.tokenIndices, end, end + 1]),
      mass: Float32Array.from([...hit.mass, 2, 1]),
    };
    const without = rankByAttention(memory, hit, neutral, end);
    expect(without.passages[0]?.path).toBe('f7.ts');
    expect(rankByAttention(memory, behind, neutral, end)).toEqual(without);
  });
});
