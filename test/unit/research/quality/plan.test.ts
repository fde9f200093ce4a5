import { describe, expect, it } from 'vitest';
import { lengthPlans } from '../../../../research/quality/plan.js';
import { qualityRows } from '../../../../research/quality/rows.js';

const small = { smallest: 640, largestBudget: 752 };
const names = qualityRows.map(({ name }) => name);

describe('the plan of the table of policies', () => {
  it('compares repositories that fit the window at a twentieth, a sixth and a third, under every policy', () => {
    expect(lengthPlans(small, false)[0]).toMatchObject({ tokens: 640, budgets: [32, 106, 213], rows: undefined });
  });

  it('takes the largest budget of the range that fits the window for longer ones', () => {
    for (const { tokens, budgets } of lengthPlans(small, false).slice(1))
      expect([tokens, budgets]).toEqual([tokens, [512]]);
    expect(lengthPlans({ smallest: 8000, largestBudget: 7000 }, false)[1]?.budgets).toEqual([4096]);
  });

  it('names only rows that there are', () => {
    const rows = [...lengthPlans(small, false), ...lengthPlans(small, true)].flatMap(({ rows: some }) => some ?? []);
    expect(rows.filter((row) => !names.includes(row))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
