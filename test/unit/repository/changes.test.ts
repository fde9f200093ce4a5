import { rm, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectChanges } from '../../../server/repository/changes.js';
import { surveyRepository } from '../../../server/repository/survey.js';
import { options, temporaryFolder, writeFiles } from './temporary-folder.js';

async function surveyed(files: Readonly<Record<string, string>>): ReturnType<typeof surveyRepository> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  return surveyRepository(root, options);
}

describe('the changes since a read', () => {
  it('are none for what is the same, and for a file that was only touched', async () => {
    const survey = await surveyed({ 'a.ts': "import './b.js';", 'b.ts': 'x', 'c.bin': '\0' });
    await utimes(path.join(survey.root, 'a.ts'), 1, 1);
    const { changed, survey: now } = await detectChanges(survey, survey.files, options);
    expect(changed).toEqual([]);
    expect(now.files.map((file) => file.path)).toEqual(['b.ts', 'a.ts']);
    expect(now.files[1]).toMatchObject({ modified: 1000 });
    expect(now.skipped).toEqual(survey.skipped);
  });

  it('are modified, added and removed files, by path; what was read keeps its place', async () => {
    const survey = await surveyed({
      'a.ts': "import './z.js';",
      'm.ts': 'x',
      'q.ts': 'x',
      'z.ts': 'x',
      'ignored.ts': 'x',
    });
    await writeFile(path.join(survey.root, 'm.ts'), 'y');
    await unlink(path.join(survey.root, 'q.ts'));
    await writeFiles(survey.root, {
      'b.ts': "import './c.js';",
      'c.ts': 'x',
      '.gitignore': 'ignored.ts',
      'also-ignored/.gitignore': '*',
      'also-ignored/a.ts': 'x',
    });
    const { changed, survey: now } = await detectChanges(survey, survey.files, options);
    expect(changed).toEqual([
      { path: '.gitignore', change: 'added' },
      { path: 'b.ts', change: 'added' },
      { path: 'c.ts', change: 'added' },
      { path: 'ignored.ts', change: 'removed' },
      { path: 'm.ts', change: 'modified' },
      { path: 'q.ts', change: 'removed' },
    ]);
    expect(now.files.map((file) => file.path)).toEqual(['z.ts', 'a.ts', 'm.ts', '.gitignore', 'c.ts', 'b.ts']);
    expect(now.bytes).toBe(now.files.reduce((sum, file) => sum + file.bytes, 0));
  });

  it('count a file that is no text any more as removed, and one that was skipped while reading as added', async () => {
    const survey = await surveyed({ 'a.txt': 'x', 'b.txt': 'x' });
    await writeFile(path.join(survey.root, 'a.txt'), '\0');
    const read = survey.files.filter((file) => file.path === 'a.txt');
    const { changed, survey: now } = await detectChanges(survey, read, options);
    expect(changed).toEqual([
      { path: 'a.txt', change: 'removed' },
      { path: 'b.txt', change: 'added' },
    ]);
    expect(now.skipped).toEqual([expect.objectContaining({ path: 'a.txt', reason: 'binary' })]);
  });

  it('follow the limit of file sizes as it is set now', async () => {
    const survey = await surveyed({ 'a.txt': 'xx', 'b.txt': 'x' });
    const { changed } = await detectChanges(survey, survey.files, { ...options, maxFileBytes: 1 });
    expect(changed).toEqual([{ path: 'a.txt', change: 'removed' }]);
  });

  it('are all files removed when the root is gone', async () => {
    const survey = await surveyed({ 'a.txt': 'x' });
    await rm(survey.root, { recursive: true });
    expect(await detectChanges(survey, survey.files, options)).toMatchObject({
      changed: [{ path: 'a.txt', change: 'removed' }],
      survey: { files: [], bytes: 0 },
    });
  });

  it('end when they are cancelled', async () => {
    const survey = await surveyed({ 'a.txt': 'x' });
    const detecting = detectChanges(survey, survey.files, options, { signal: AbortSignal.abort() });
    await expect(detecting).rejects.toMatchObject({ code: 'cancelled' });
  });
});
