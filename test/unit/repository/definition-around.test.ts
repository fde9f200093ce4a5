import { describe, expect, it } from 'vitest';
import { definitionAround } from '../../../server/repository/definition-around.js';
import { outlineSource } from '../../../server/repository/outline.js';
import type { Definition } from '../../../server/repository/source.js';

const source = `import { lines } from './lines.js';

/** Holds what is kept. */
export class Store {
  limit = 3;

  /** Keeps one. */
  keep(unit: number): void {
    const local = unit + 1;
    const inner = (value: number) => {
      return value + local;
    };
    lines.push(inner(unit));
  }

  size(): number { return lines.length; }
}

export const handlers = {
  first: 1,
};
`;

async function outline(): Promise<readonly Definition[]> {
  const file = { path: 'store.ts', bytes: 0, modified: 0, hash: '', lines: 0, language: 'typescript' };
  return outlineSource(file, source);
}

describe('the definition around a line', () => {
  it.each([
    ['a line of a method', 9, 'keep'],
    ['a line of a function inside of it', 11, 'inner'],
    ['a method that takes one line', 16, 'size'],
    ['the documentation comment of a method', 7, 'keep'],
    ['a field, which counts for its class', 5, 'Store'],
    ['a blank line between methods', 15, 'Store'],
    ['the documentation comment of a class', 3, 'Store'],
    ['a constant of the top level', 20, 'handlers'],
  ])('of %s is the innermost one', async (_, line, name) => {
    expect(definitionAround(await outline(), line)?.name).toBe(name);
  });

  it.each([1, 2, 18, 500])('is none on line %i, outside of all', async (line) => {
    expect(definitionAround(await outline(), line)).toBeUndefined();
  });

  it('of several lines covers them all', async () => {
    const definitions = await outline();
    expect(definitionAround(definitions, 9, 13)?.name).toBe('keep');
    expect(definitionAround(definitions, 13, 16)?.name).toBe('Store');
    expect(definitionAround(definitions, 16, 19)).toBeUndefined();
  });

  it('of two definitions on the same lines is the inner one, which comes later', () => {
    const definition = { kind: 'function', path: 'a.ts', line: 1, endLine: 2, nameLine: 1 } as const;
    const both: Definition[] = [
      { ...definition, name: 'outer', container: undefined },
      { ...definition, name: 'inner', container: 'outer' },
    ];
    expect(definitionAround(both, 1)?.name).toBe('inner');
  });
});
