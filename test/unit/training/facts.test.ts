import { describe, expect, it } from 'vitest';
import { outlineSource } from '../../../server/repository/outline.js';
import { constantIn, factsOf, firstSentence, signatureIn, type Fact } from '../../../server/training/facts.js';

async function factsIn(path: string, language: string, text: string): Promise<Fact[]> {
  const file = { path, bytes: text.length, modified: 0, hash: '', lines: 0, language };
  return factsOf(await outlineSource(file, text), text.split('\n'));
}

const of = (facts: readonly Fact[], subject: string): Record<string, string> =>
  Object.fromEntries(facts.filter((fact) => fact.subject === subject).map(({ kind, value }) => [kind, value]));

const python = `LIMIT = 10  # bytes

class Reader(Base):
    """Reads records from a file. It is not thread-safe."""

    def __init__(self, path):
        self.path = path

    def next_record(self, size=LIMIT, strict=(1, 2)):
        return self.path

    def close(self):
        # Nothing to do here.
        pass
`;

const typescript = `/** Adds two numbers. Nothing else. */
export function add(a: number, b: number): number {
  return a + b;
}

export const largest: number = 0x10;
export const names = ['a', 'b'];

export class Adder extends Machine {
  run(): void {}
}
`;

describe('factsOf', () => {
  it('tells what Python source says', async () => {
    const facts = await factsIn('lib/reader.py', 'python', python);
    expect(of(facts, 'LIMIT')).toEqual({ where: 'lib/reader.py', constant: 'LIMIT = 10' });
    expect(of(facts, 'Reader')).toEqual({
      where: 'lib/reader.py',
      base: 'class Reader(Base)',
      methods: '`next_record`, `close`',
      documentation: '`Reader`: Reads records from a file.',
    });
    expect(of(facts, 'next_record')).toEqual({
      where: 'lib/reader.py',
      signature: 'next_record(self, size=LIMIT, strict=(1, 2))',
      undocumented: 'lib/reader.py',
    });
    expect(of(facts, 'close')).not.toHaveProperty('undocumented');
    expect(facts.some(({ subject }) => subject === '__init__')).toBe(false);
  });

  it('tells what TypeScript source says', async () => {
    const facts = await factsIn('src/add.ts', 'typescript', typescript);
    expect(of(facts, 'add')).toEqual({
      where: 'src/add.ts',
      signature: 'add(a: number, b: number)',
      documentation: '`add`: Adds two numbers.',
    });
    expect(of(facts, 'largest')).toMatchObject({ constant: 'largest: number = 0x10' });
    expect(of(facts, 'names')).not.toHaveProperty('constant');
    expect(of(facts, 'Adder')).toMatchObject({ base: 'class Adder extends Machine', methods: '`run`' });
  });

  it('says up to which line a fact rests', async () => {
    const facts = await factsIn('lib/reader.py', 'python', python);
    const lines = facts.filter(({ subject }) => subject === 'Reader').map(({ kind, end }) => [kind, end]);
    expect(Object.fromEntries(lines)).toEqual({ where: 3, base: 3, documentation: 4, methods: 12 });
  });
});

describe('what is quoted', () => {
  it('is a signature only where it ends on its line', () => {
    expect(signatureIn('def f(a, b=(1, 2)): # f()', 'f')).toBe('f(a, b=(1, 2))');
    expect(signatureIn('half(f(1))', 'f')).toBe('f(1)');
    expect(signatureIn('def f(a,', 'f')).toBeUndefined();
    expect(signatureIn('class F:', 'F')).toBeUndefined();
    expect(signatureIn(`f(${'x, '.repeat(60)}x)`, 'f')).toBeUndefined();
  });

  it('is a sentence of words, not too short or long', () => {
    expect(firstSentence('Opens a file. Closes it.')).toBe('Opens a file.');
    expect(firstSentence('Version 1.5 of it')).toBe('Version 1.5 of it');
    expect(firstSentence('@internal')).toBeUndefined();
    expect(firstSentence('Short.')).toBeUndefined();
    expect(firstSentence('long '.repeat(30))).toBeUndefined();
  });

  it('is a constant only where its value is a literal', () => {
    expect(constantIn("export const name = 'a b'; // c", 'name')).toBe("name = 'a b'");
    expect(constantIn('total = a + b', 'total')).toBeUndefined();
    expect(constantIn('other = 1', 'total')).toBeUndefined();
  });
});
