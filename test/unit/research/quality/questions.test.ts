import { describe, expect, it } from 'vitest';
import { type BenchQuestion, isRight, makeQuestions } from '../../../../research/quality/questions.js';
import { outlineSource } from '../../../../server/repository/outline.js';
import type { Definition } from '../../../../server/repository/source.js';
import { surveyRepository } from '../../../../server/repository/survey.js';
import { options, temporaryFolder, writeFiles } from '../../repository/temporary-folder.js';

const shapes = `/** Adds two numbers. And more. */
export function addNumbers(a: number, b = 2): number {
  return a + b;
}

const mostPoints = 10;

class Circle extends Shape {
  radius() {}
}

function twice() {}
`;

async function questionsOf(count: number, seed = 1): Promise<BenchQuestion[]> {
  const root = await temporaryFolder();
  await writeFiles(root, { 'src/shapes.ts': shapes, 'src/again.ts': 'export function twice() {}\n' });
  const survey = await surveyRepository(root, options);
  const files = survey.files.map((file) => ({ file, begin: 0, end: 0 }));
  const definitions: Definition[] = [];
  for (const { file } of files)
    definitions.push(
      ...(await outlineSource(file, file.path.endsWith('shapes.ts') ? shapes : 'function twice() {}\n')),
    );
  return makeQuestions({ survey, files, definitions }, count, seed);
}

function question(parts: Partial<BenchQuestion>): BenchQuestion {
  const gold = { path: 'src/a.ts', lines: [3], header: false };
  return { id: '', kind: 'where', text: '', answer: '', ending: '', gold, ...parts };
}

describe('an answer is right', () => {
  const where = question({ kind: 'where', ending: 'src/a.ts' });
  const parameters = question({ kind: 'parameters', ending: 'add(a: number, b = 2)' });
  const constant = question({ kind: 'constant', ending: '10' });
  const documentation = question({ kind: 'documentation', ending: 'Adds two numbers.' });
  const base = question({ kind: 'base class', ending: 'Shape' });
  const absent = question({
    kind: 'not there',
    answer: '`addAll` was not found in this repository.',
    ending: undefined,
  });

  it.each([
    ['by the path alone, with or without a line', where, '`add` is defined in `src/a.ts`.', true],
    ['by the path alone, with or without a line', where, '`add` is defined in `src/a.ts:3`.', true],
    ['only by the whole path', where, '`add` is defined in `lib/src/a.ts`.', false],
    ['only by the whole path', where, '`add` is defined in `src/a.tsx`.', false],
    ['by the whole signature', parameters, '`add(a: number, b = 2)`', true],
    ['by the whole signature', parameters, '`add(a: number)`', false],
    ['by the whole signature', parameters, '`preadd(a: number, b = 2)`', false],
    ['by the value, with or without its name', constant, '`10`', true],
    ['by the value, with or without its name', constant, '`limit = 10`', true],
    ['not by another value that ends the same', constant, '`limit = 110`', false],
    ['by the sentence, with or without the name', documentation, '`add`: Adds two numbers.', true],
    ['by the sentence, with or without the name', documentation, 'Adds two numbers', true],
    ['not by a part of the sentence', documentation, '`add`: Adds two.', false],
    ['by the name of the base class', base, '`class Circle extends Shape`', true],
    ['by the name of the base class', base, '`class Circle extends Reshape`', false],
    ['only by the very words when it is not there', absent, '`addAll` was not found in this repository.', true],
    ['only by the very words when it is not there', absent, '`addAll` is defined in `src/a.ts`.', false],
  ])('%s: %#', (_, asked, text, right) => {
    expect(isRight(asked, text)).toBe(right);
  });
});

describe('questions of a repository', () => {
  it('ask what its lines tell, once, and of names that are defined once', async () => {
    const questions = await questionsOf(100);
    const told = questions.filter(({ gold }) => gold !== undefined);
    const facts = told.map(({ kind, answer, gold }) => [kind, answer, gold?.lines[0]]);
    expect(facts).toHaveLength(9);
    expect(facts).toEqual(
      expect.arrayContaining([
        ['where', '`addNumbers` is defined in `src/shapes.ts`.', 2],
        ['parameters', '`addNumbers(a: number, b = 2)`', 2],
        ['documentation', '`addNumbers`: Adds two numbers.', 1],
        ['where', '`mostPoints` is defined in `src/shapes.ts`.', 6],
        ['constant', '`mostPoints = 10`', 6],
        ['where', '`Circle` is defined in `src/shapes.ts`.', 8],
        ['base class', '`class Circle extends Shape`', 8],
        ['where', '`radius` is defined in `src/shapes.ts`.', 9],
        ['parameters', '`radius()`', 9],
      ]),
    );
    for (const asked of questions) expect(isRight(asked, asked.answer)).toBe(true);
    expect(questions.some(({ text }) => text.includes('twice'))).toBe(false);
  });

  it('ask of what is not there at most every fifth time', async () => {
    const questions = await questionsOf(100);
    const absent = questions.filter(({ kind }) => kind === 'not there');
    expect(absent.length).toBeGreaterThan(0);
    expect(absent.length).toBeLessThanOrEqual(questions.length / 5 + 1);
    for (const { answer } of absent) expect(shapes).not.toContain(/`(\w+)`/.exec(answer)?.[1]);
  });

  it('are the same for the same seed, and the first of them for a smaller count', async () => {
    const many = await questionsOf(8);
    expect(await questionsOf(8)).toEqual(many);
    expect(await questionsOf(3)).toEqual(many.slice(0, 3));
    expect(await questionsOf(8, 2)).not.toEqual(many);
  });
});
