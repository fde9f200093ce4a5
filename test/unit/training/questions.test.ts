import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../server/engine/random.js';
import type { Fact, FactKind } from '../../../server/training/facts.js';
import { answerOf, chooseFacts, questionOf } from '../../../server/training/questions.js';

const fact = (kind: FactKind, subject: string, value = 'src/a.ts'): Fact => ({
  kind,
  subject,
  word: 'function',
  path: 'src/a.ts',
  value,
  begin: 1,
  end: 1,
});

describe('questions of a fact', () => {
  it('name it, and have no gap left', () => {
    const random = seededRandom(1);
    for (const kind of [
      'where',
      'signature',
      'documentation',
      'undocumented',
      'constant',
      'base',
      'methods',
    ] as const) {
      for (let i = 0; i < 40; i++) {
        const question = questionOf(fact(kind, 'a$&b'), random);
        expect(question).toContain('a$&b');
        expect(question).not.toMatch(/[{}]/);
      }
    }
  });

  it('have the answers that the bundled model was trained on', () => {
    expect(answerOf(fact('where', 'add'))).toBe('`add` is defined in `src/a.ts`.');
    expect(answerOf(fact('signature', 'add', 'add(a, b)'))).toBe('`add(a, b)`');
    expect(answerOf(fact('constant', 'MAX', 'MAX = 10'))).toBe('`MAX = 10`');
    expect(answerOf(fact('documentation', 'add', '`add`: Adds two.'))).toBe('`add`: Adds two.');
    expect(answerOf(fact('undocumented', 'add'))).toBe('`add` has no documentation; it is defined in `src/a.ts`.');
    expect(answerOf(fact('methods', 'A', '`b`, `c`'))).toBe('`A` has the methods `b`, `c`.');
  });
});

describe('chooseFacts', () => {
  const facts = ['a', 'b', 'c', 'd', 'e'].flatMap((name) => [fact('where', name), fact('signature', name)]);

  it('asks once about a name', () => {
    const chosen = chooseFacts(facts, 12, seededRandom(3));
    expect(chosen.map(({ subject }) => subject).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('asks no more than it should, and the same for the same seed', () => {
    expect(chooseFacts(facts, 2, seededRandom(3))).toHaveLength(2);
    expect(chooseFacts(facts, 2, seededRandom(3))).toEqual(chooseFacts(facts, 2, seededRandom(3)));
  });

  it('leaves out a name that two definitions have', () => {
    expect(chooseFacts([...facts, fact('where', 'a', 'src/b.ts')], 12, seededRandom(0))).not.toContainEqual(
      expect.objectContaining({ subject: 'a' }),
    );
  });

  it('asks more often where something is defined than whether it lacks documentation', () => {
    const random = seededRandom(5);
    const kinds = Array.from(
      { length: 400 },
      () => chooseFacts([fact('where', 'a'), fact('undocumented', 'a')], 1, random)[0]?.kind,
    );
    const places = kinds.filter((kind) => kind === 'where').length;
    expect(places / kinds.length).toBeGreaterThan(0.75);
    expect(places / kinds.length).toBeLessThan(0.87);
  });
});
