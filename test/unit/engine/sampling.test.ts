import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Sampling } from '../../../server/engine/engine.js';
import { seededRandom, xoshiro128 } from '../../../server/engine/random.js';
import { createSampler } from '../../../server/engine/sampling.js';

interface Reference {
  readonly logits: Readonly<Record<string, readonly number[]>>;
  readonly penalized: readonly number[];
  readonly cases: readonly {
    readonly logits: string;
    readonly settings: Omit<Sampling, 'seed'>;
    readonly tokens: readonly number[];
    readonly probabilities: readonly number[];
  }[];
}

function readReference(): Reference {
  const file = new URL('../../fixtures/sampling/reference.json', import.meta.url);
  // The fixture is the project's own file, written by make_reference.py beside it.
  const parse: (text: string) => Reference = JSON.parse;
  return parse(readFileSync(file, 'utf8'));
}

const plain: Sampling = { temperature: 1, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 5 };
const logits = Float32Array.of(0.5, -1, 2, 2, -Infinity, 1);

/** How often each token is chosen in `draws` draws. */
function frequencies(sampling: Partial<Sampling>, draws: number): number[] {
  const sampler = createSampler({ ...plain, ...sampling });
  const counts = Array.from(logits, () => 0);
  for (let i = 0; i < draws; i++) {
    const token = sampler.choose(logits);
    counts[token] = (counts[token] ?? 0) + 1;
  }
  return counts.map((count) => count / draws);
}

describe('distribution', () => {
  const reference = readReference();

  it.each(reference.cases.map((one) => ({ ...one, name: `${one.logits} ${JSON.stringify(one.settings)}` })))(
    "is that of transformers' logits processors: $name",
    ({ logits: name, settings, tokens, probabilities }) => {
      const sampler = createSampler({ ...settings, seed: 0 }, reference.penalized);
      const ours = sampler.distribution(Float32Array.from(reference.logits[name] ?? []));
      expect(Array.from(ours.tokens)).toEqual(tokens);
      ours.probabilities.forEach((probability, i) => {
        expect(Math.abs(probability - (probabilities[i] ?? NaN))).toBeLessThan(1e-6);
      });
    },
  );

  it('keeps the lower of equally likely tokens at the edge of top-p', () => {
    const equal = new Float32Array(10).fill(3);
    expect(Array.from(createSampler({ ...plain, topP: 0.35 }).distribution(equal).tokens)).toEqual([0, 1, 2, 3]);
  });

  it('keeps the likeliest token whatever the filters', () => {
    for (const filters of [{ topP: 0 }, { topP: 1e-9 }, { topK: 1 }, { minP: 1 }, { topP: 1e-9, topK: 1, minP: 1 }]) {
      const peak = Float32Array.of(1, 5, 2);
      expect(Array.from(createSampler({ ...plain, ...filters }).distribution(peak).tokens)).toEqual([1]);
    }
  });

  it('stays a distribution at the ends of the temperature', () => {
    const wide = Float32Array.of(1000, -1000, 999);
    expect(Array.from(createSampler({ ...plain, temperature: 5e-324 }).distribution(wide).probabilities)).toEqual([
      1, 0, 0,
    ]);
    const { probabilities } = createSampler({ ...plain, temperature: 1e300 }).distribution(wide);
    for (const probability of probabilities) expect(probability).toBeCloseTo(1 / 3, 12);
  });

  it('agrees with a full sort for a vocabulary of 150,000', () => {
    const random = seededRandom(3);
    const large = Float32Array.from({ length: 150_000 }, () => 12 * random() * random());
    const top = large.reduce((a, b) => Math.max(a, b));
    const weights = Float64Array.from(large, (logit) => Math.exp(logit - top));
    const sum = weights.reduce((a, b) => a + b);
    const order = Array.from(large.keys()).sort((a, b) => (large[b] ?? 0) - (large[a] ?? 0) || a - b);
    let mass = 0;
    const nucleus = order.filter((token) => {
      const before = mass;
      mass += (weights[token] ?? 0) / sum;
      return before < 0.9;
    });
    const ours = createSampler({ ...plain, topP: 0.9 }).distribution(large);
    expect(Array.from(ours.tokens)).toEqual(nucleus.sort((a, b) => a - b));
  });
});

describe('choose', () => {
  it('draws tokens as often as they are likely', () => {
    const weights = Array.from(logits, Math.exp);
    const sum = weights.reduce((a, b) => a + b);
    const draws = 200_000;
    // Pearson's statistic over 5 possible tokens; 18.5 is exceeded with probability 0.001.
    const statistic = frequencies({}, draws).reduce((total, frequency, token) => {
      const expected = (weights[token] ?? 0) / sum;
      return expected === 0 ? total : total + (draws * (frequency - expected) ** 2) / expected;
    }, 0);
    expect(statistic).toBeLessThan(18.5);
  });

  it('never draws a token of probability 0', () => {
    expect(frequencies({ temperature: 100 }, 20_000)[4]).toBe(0);
  });

  it('draws only what the filters leave', () => {
    const [zero, one, two, three, , five] = frequencies({ topK: 3 }, 5_000);
    expect([zero, one]).toEqual([0, 0]);
    for (const frequency of [two, three, five]) expect(frequency).toBeGreaterThan(0.1);
  });

  it('is greedy at temperature 0, of equals the lower token', () => {
    expect(frequencies({ temperature: 0 }, 10)[2]).toBe(1);
  });

  it('counts given and chosen tokens for the repetition penalty', () => {
    const greedy = { ...plain, temperature: 0, repetitionPenalty: 2 };
    const free = createSampler(greedy);
    expect([free.choose(logits), free.choose(logits), free.choose(logits)]).toEqual([2, 3, 2]);
    const given = createSampler(greedy, [2, 3, 3, 99, -1]);
    expect(given.choose(Float32Array.of(0.5, -1, 2, 2, -3, 1.5))).toBe(5);
    const falling = createSampler(greedy, [0]);
    expect(falling.choose(Float32Array.of(-1, -1.5))).toBe(1);
  });

  it('leaves the logits as they were', () => {
    const before = Array.from(logits);
    createSampler({ ...plain, topK: 2, topP: 0.5, repetitionPenalty: 3 }, [2]).choose(logits);
    expect(Array.from(logits)).toEqual(before);
  });

  it('repeats itself with the same seed and not with another', () => {
    const sequence = (seed: number): number[] => {
      const sampler = createSampler({ ...plain, temperature: 3, seed });
      return Array.from({ length: 50 }, () => sampler.choose(logits));
    };
    expect(sequence(7)).toEqual(sequence(7));
    expect(sequence(7)).not.toEqual(sequence(8));
    expect(sequence(7)).not.toEqual(sequence(7 + 2 ** 32));
  });

  it('follows the vocabulary from call to call', () => {
    const sampler = createSampler({ ...plain, topK: 1 });
    expect(sampler.choose(Float32Array.of(0, 1))).toBe(1);
    expect(sampler.choose(Float32Array.of(0, 1, 2))).toBe(2);
  });

  it.each([[[1, NaN]], [[Infinity, 0]], [[-Infinity, -Infinity]], [[]]])('refuses logits like %o', (bad) => {
    for (const temperature of [0, 1]) {
      expect(() => createSampler({ ...plain, temperature }).choose(Float32Array.from(bad))).toThrow(
        expect.objectContaining({ code: 'model-corrupt' }),
      );
    }
  });
});

describe('createSampler', () => {
  it.each<Partial<Sampling>>([
    { temperature: -1 },
    { temperature: NaN },
    { temperature: Infinity },
    { topP: -0.1 },
    { topP: 1.1 },
    { topK: -1 },
    { topK: 2.5 },
    { minP: -0.1 },
    { minP: 2 },
    { repetitionPenalty: 0 },
    { repetitionPenalty: NaN },
    { seed: 0.5 },
  ])('refuses %o', (bad) => {
    expect(() => createSampler({ ...plain, ...bad })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('random numbers', () => {
  it("are xoshiro128**'s", () => {
    const next = xoshiro128([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, next)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('lie in [0, 1) and are spread evenly', () => {
    const random = seededRandom(-1);
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 160_000; i++) {
      const bin = Math.floor(random() * 16);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    // Pearson's statistic with 15 degrees of freedom; 37.7 is exceeded with probability 0.001.
    expect(bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(37.7);
  });
});
