import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { problemLine, watchLines } from '../../../scripts/build.mjs';
import { isObject, parseObject } from '../../../scripts/json-object.mjs';

/** The values of all properties of this name, however deep. */
function valuesOf(name: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap((inner) => valuesOf(name, inner));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...(key === name ? [inner] : []), ...valuesOf(name, inner)]);
}

async function patternOf(name: string): Promise<RegExp> {
  const tasks = parseObject(await readFile(new URL('../../../.vscode/tasks.json', import.meta.url), 'utf8'));
  const [pattern] = valuesOf(name, tasks);
  if (typeof pattern !== 'string') throw new Error(`.vscode/tasks.json has no ${name}.`);
  return new RegExp(pattern);
}

describe("the editor's task for a watching build", () => {
  it('finds the place of what is wrong', async () => {
    const location = {
      file: 'server/errors.ts',
      line: 73,
      column: 9,
      length: 1,
      lineText: '',
      namespace: '',
      suggestion: '',
    };
    const line = problemLine({ text: 'Unexpected "="', location }, 'error');
    expect((await patternOf('regexp')).exec(line)?.slice(1)).toEqual([
      'server/errors.ts',
      '73',
      '10',
      'error',
      'Unexpected "="',
    ]);
  });

  it('knows when a build has begun and when it has ended, well or not', async () => {
    const [begins, ends] = [await patternOf('beginsPattern'), await patternOf('endsPattern')];
    expect(watchLines.begun).toMatch(begins);
    for (const line of [watchLines.built, watchLines.failed]) {
      expect(line).toMatch(ends);
      expect(line).not.toMatch(begins);
    }
    expect(watchLines.begun).not.toMatch(ends);
  });
});
