import { describe, expect, it } from 'vitest';
import { pyramidBudgets } from '../../../server/eviction/pyramid.js';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

describe('the pyramid of budgets', () => {
  /** As the authors' code has it, which rounds the step down. */
  function published(capacity: number, window: number, layers: number): number[] {
    const smallest = Math.floor((capacity - window) / 20);
    const largest = (capacity - window) * 2 - smallest;
    const step = Math.floor((largest - smallest) / (layers - 1));
    return Array.from({ length: layers }, (_, layer) => window + largest - layer * step);
  }

  it.each([
    [2048, 64, 32],
    [512, 32, 28],
    [128, 8, 6],
    [1000, 0, 5],
  ])(
    "keeps the authors' budgets but for the rounding of their step: %i units, %i exempt, %i layers",
    (b, w, layers) => {
      const budgets = pyramidBudgets({ budget: b, exempt: w, layers, longest: Infinity });
      published(b, w, layers).forEach((expected, layer) => {
        expect(Math.abs((budgets[layer] ?? NaN) - expected)).toBeLessThanOrEqual(layer + 1);
      });
      expect(budgets[0]).toBe(published(b, w, layers)[0]);
      expect(budgets.at(-1)).toBe(w + Math.floor((b - w) / 20));
    },
  );

  it.each([
    [512, 100, 6, Infinity],
    [333, 7, 7, Infinity],
    [333, 7, 24, 500],
    [64, 64, 8, Infinity],
    [50, 0, 1, Infinity],
  ])(
    'takes the memory of equal budgets exactly: %i units, %i exempt, %i layers, longest %d',
    (budget, exempt, layers, longest) => {
      const budgets = pyramidBudgets({ budget, exempt, layers, longest });
      expect(sum(budgets)).toBe(layers * budget);
      expect(budgets).toHaveLength(layers);
      expect(Math.min(...budgets)).toBeGreaterThanOrEqual(exempt);
      expect(budgets).toEqual([...budgets].sort((a, b) => b - a));
    },
  );

  it('is flatter where the lowest layer would not fit', () => {
    expect(pyramidBudgets({ budget: 100, exempt: 0, layers: 5, longest: 140 })).toEqual([140, 120, 100, 80, 60]);
    expect(pyramidBudgets({ budget: 100, exempt: 0, layers: 5, longest: 100 })).toEqual([100, 100, 100, 100, 100]);
  });
});
