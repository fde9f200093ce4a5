import * as fs from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DiskChanges, type ReadSources } from '../../../../server/memory/contents/disk-changes.js';
import { surveyRepository } from '../../../../server/repository/survey.js';
import { options, temporaryFolder, writeFiles } from '../../repository/temporary-folder.js';

/** Folders that were listed, and files that were opened. */
const calls = vi.hoisted(() => ({ readdir: 0, open: 0 }));

vi.mock(import('node:fs/promises'), async (importOriginal) => {
  const original = await importOriginal();
  const counted = <Name extends keyof typeof calls>(name: Name): (typeof original)[Name] =>
    new Proxy(original[name], {
      apply: (call, self, values): unknown => {
        calls[name] += 1;
        return Reflect.apply(call, self, values);
      },
    });
  return { ...original, readdir: counted('readdir'), open: counted('open') };
});

beforeEach(() => {
  calls.readdir = 0;
  calls.open = 0;
});

async function readSources(files: Readonly<Record<string, string>>): Promise<ReadSources> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  const survey = await surveyRepository(root, options);
  return { survey, options, files: survey.files };
}

/** So many folders with ten files in each. */
function manyFiles(folders: number): Record<string, string> {
  const paths = Array.from({ length: folders * 10 }, (_, i) => `src/part${Math.floor(i / 10)}/file${i % 10}.ts`);
  return Object.fromEntries(paths.map((file) => [file, file]));
}

function edit({ survey }: ReadSources, file: string, text = 'edited'): Promise<void> {
  return fs.writeFile(path.join(survey.root, file), text);
}

const paths = (changed: readonly { readonly path: string }[]): string[] => changed.map((change) => change.path);

describe('DiskChanges, told of every change', () => {
  it.each([3, 60])('walks no tree for an edit, though there are %i folders', async (folders) => {
    const sources = await readSources(manyFiles(folders));
    const disk = new DiskChanges(sources);
    disk.watch();
    await disk.compare();
    expect(calls.readdir).toBeGreaterThan(folders);
    await edit(sources, 'src/part1/file3.ts');
    calls.readdir = 0;
    calls.open = 0;
    disk.touch('src/part1/file3.ts');
    expect(paths((await disk.compare()).changed)).toEqual(['src/part1/file3.ts']);
    // The folders on the way to the file, and the file.
    expect(calls).toEqual({ readdir: 3, open: 1 });
  });

  it('looks at nothing when nothing was touched since', async () => {
    const sources = await readSources(manyFiles(3));
    const disk = new DiskChanges(sources);
    disk.watch();
    await edit(sources, 'src/part0/file0.ts');
    const { changed } = await disk.compare();
    calls.readdir = 0;
    calls.open = 0;
    expect((await disk.compare()).changed).toEqual(changed);
    expect(disk.changed).toEqual(changed);
    expect(calls).toEqual({ readdir: 0, open: 0 });
  });

  it('finds once what changed before it was told of changes', async () => {
    const sources = await readSources(manyFiles(2));
    const disk = new DiskChanges(sources);
    await disk.compare();
    await edit(sources, 'src/part0/file0.ts');
    disk.watch();
    expect(paths((await disk.compare()).changed)).toEqual(['src/part0/file0.ts']);
  });

  it('looks at everything when that may have changed: after very many changes, and after a long time', async () => {
    let now = 0;
    const sources = await readSources(manyFiles(2));
    const disk = new DiskChanges(sources, () => now);
    disk.watch();
    await disk.compare();
    await edit(sources, 'src/part0/file0.ts');
    for (let i = 0; i < 2_000; i++) disk.touch(`elsewhere/${i}`);
    expect(paths((await disk.compare()).changed)).toEqual(['src/part0/file0.ts']);
    await edit(sources, 'src/part0/file1.ts');
    now += 60_000;
    expect((await disk.compare()).changed).toHaveLength(1);
    now += 10 * 60_000;
    expect((await disk.compare()).changed).toHaveLength(2);
  });

  it('looks at everything when a change was seen that was not told: others may not have been told either', async () => {
    const sources = await readSources(manyFiles(2));
    const disk = new DiskChanges(sources);
    disk.watch();
    await disk.compare();
    await edit(sources, 'src/part0/file0.ts');
    await edit(sources, 'src/part1/file1.ts');
    await disk.missed(['src/part0/file0.ts']);
    expect(paths(disk.changed)).toEqual(['src/part0/file0.ts', 'src/part1/file1.ts']);
    calls.readdir = 0;
    await disk.missed(['src/part1/file2.ts']);
    expect(calls.readdir).toBe(3);
  });

  it('forgets nothing that was touched when a comparison is cancelled', async () => {
    const sources = await readSources(manyFiles(2));
    const disk = new DiskChanges(sources);
    disk.watch();
    await disk.compare();
    await edit(sources, 'src/part0/file0.ts');
    disk.touch('src/part0/file0.ts');
    await expect(disk.compare(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(paths((await disk.compare()).changed)).toEqual(['src/part0/file0.ts']);
  });

  it('finds what is touched while it compares with the next comparison', async () => {
    const sources = await readSources(manyFiles(2));
    const disk = new DiskChanges(sources);
    disk.watch();
    const comparing = disk.compare();
    disk.touch('src/part1/file0.ts');
    await comparing;
    await edit(sources, 'src/part1/file0.ts');
    disk.touch('src/part1/file0.ts');
    const [first, second] = await Promise.all([disk.compare(), disk.compare()]);
    expect(paths(first.changed)).toEqual(['src/part1/file0.ts']);
    expect(second.changed).toEqual(first.changed);
  });

  it('goes on after changes were folded in, and looks again at those alone', async () => {
    const sources = await readSources(manyFiles(3));
    const disk = new DiskChanges(sources);
    disk.watch();
    await disk.compare();
    await edit(sources, 'src/part0/file0.ts');
    disk.touch('src/part0/file0.ts');
    const changes = await disk.compare();
    await edit(sources, 'src/part0/file0.ts', 'edited again while it was read');
    await edit(sources, 'src/part1/file0.ts');
    disk.touch('src/part1/file0.ts');
    const { survey } = changes;
    calls.readdir = 0;
    const next = disk.after({ survey, options, files: survey.files }, changes);
    expect(next.changed).toEqual([]);
    expect(paths((await next.compare()).changed)).toEqual(['src/part0/file0.ts', 'src/part1/file0.ts']);
    expect(calls.readdir).toBe(4);
  });
});

describe('DiskChanges, told of nothing', () => {
  it('looks at everything each time', async () => {
    const sources = await readSources(manyFiles(2));
    const disk = new DiskChanges(sources);
    expect(disk.changed).toEqual([]);
    await disk.compare();
    await edit(sources, 'src/part0/file0.ts');
    disk.touch('src/part1/file1.ts');
    expect(paths((await disk.compare()).changed)).toEqual(['src/part0/file0.ts']);
    calls.readdir = 0;
    await disk.missed(['src/part1/file2.ts']);
    expect(calls.readdir).toBe(0);
  });
});
