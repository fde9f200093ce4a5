import { expect, test } from 'vitest';
import { turnRanges } from '../../../../extension/conversation/turn-ranges.js';

test('front matter, turns and answers fold, without the blank lines behind them', () => {
  const lines = `---
locret: 1
---

## Question

Where?

### Answer

Here.

## Question (deep)
### Answer from api
There.
`.split('\n');
  expect(turnRanges(lines)).toEqual([
    { start: 0, end: 2 },
    { start: 4, end: 10 },
    { start: 8, end: 10 },
    { start: 12, end: 14 },
    { start: 13, end: 14 },
  ]);
});

test('a text without turns does not fold', () => {
  expect(turnRanges(['# Notes', '', '---', 'text'])).toEqual([]);
});
