import { expect, test } from 'vitest';
import { exampleQuestions, type ExampleSources } from '../../../../extension/chat/example-questions.js';
import type { DefinitionAtResult } from '../../../../server/contract/protocol.js';
import { english } from '../english.js';

function sources(
  read: readonly (readonly [path: string, tokens: number])[],
  definitions: Readonly<Record<string, Partial<DefinitionAtResult>>>,
): ExampleSources & { readonly probed: string[] } {
  const probed: string[] = [];
  return {
    probed,
    coverage: () =>
      Promise.resolve({ read: read.map(([path, tokens]) => ({ path, tokens })), skipped: [], changed: [] }),
    definitionAt: (path) => {
      probed.push(path);
      const found = definitions[path];
      return Promise.resolve(
        found === undefined ? null : { name: '', kind: 'function', line: 1, endLine: 9, ...found },
      );
    },
  };
}

test('three names of three folders make three questions, the second about parameters', async () => {
  const from = sources(
    [
      ['src/a.ts', 900],
      ['src/b.ts', 800],
      ['lib/c.ts', 700],
      ['core/d.py', 600],
    ],
    {
      'src/a.ts': { name: 'AppleStore', kind: 'class' },
      'lib/c.ts': { name: 'Ledger', kind: 'class' },
      'core/d.py': { name: 'count_rows', kind: 'function' },
      'src/b.ts': { name: 'openLedger', kind: 'function' },
    },
  );
  expect(await exampleQuestions(from, english)).toEqual([
    'Where is `AppleStore` defined?',
    'What are the parameters of `count_rows`?',
    'What does `openLedger` do?',
  ]);
});

test('tests, documents, generated types and tiny files are not looked into', async () => {
  const from = sources(
    [
      ['test/a.ts', 900],
      ['src/a.test.ts', 900],
      ['README.md', 900],
      ['src/index.d.ts', 900],
      ['src/empty.ts', 10],
      ['src/huge.ts', 900_000],
    ],
    {},
  );
  expect(await exampleQuestions(from, english)).toEqual([]);
  expect(from.probed).toEqual([]);
});

test('names that are short or no words make no question', async () => {
  const from = sources([['src/a.ts', 900]], { 'src/a.ts': { name: 'a b`c' } });
  expect(await exampleQuestions(from, english)).toEqual([]);
});

test('a large repository is not searched through', async () => {
  const files = Array.from({ length: 10_000 }, (_, index) => [`src/f${index % 900}/${index}.ts`, 900] as const);
  const from = sources(files, {});
  await exampleQuestions(from, english);
  expect(new Set(from.probed).size).toBe(12);
});
