import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveEntries, partsOf, problemsOf } from '../../../scripts/package/contents.mjs';
import { stagedManifest, stagedReadme } from '../../../scripts/package/stage.mjs';
import { nativeFilesOf, targetNames } from '../../../scripts/package/targets.mjs';
import {
  cudaRuntimeNotice,
  packageFoldersOf,
  thirdPartyNotices,
} from '../../../scripts/package/third-party-notices.mjs';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'locret-package-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A zip archive with empty files, as far as its directory goes. */
function archiveOf(names: readonly string[]): Buffer {
  const directory = names.map((name) => {
    const entry = Buffer.alloc(46 + Buffer.byteLength(name));
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(7, 20);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.write(name, 46);
    return entry;
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(names.length, 10);
  return Buffer.concat([...directory, end]);
}

describe('the check of a package', () => {
  const staged = ['LICENSE', 'README.md', 'dist/extension.cjs'];
  const names = [
    '[Content_Types].xml',
    'extension.vsixmanifest',
    'extension/LICENSE.txt',
    'extension/readme.md',
    'extension/dist/extension.cjs',
  ];
  const size = { bytes: 10, maxBytes: 10 };
  const entriesOf = (list: readonly string[]) => list.map((name) => ({ name, bytes: 7 }));

  it('finds nothing wrong with exactly what was put together', () => {
    expect(problemsOf(entriesOf(names), staged, size)).toEqual([]);
  });

  it('names what should not be in it', () => {
    const problems = problemsOf(entriesOf([...names, 'extension/.env']), staged, size);
    expect(problems).toEqual([expect.stringContaining('extension/.env')]);
  });

  it('names what is missing', () => {
    const problems = problemsOf(entriesOf(names.slice(0, -1)), staged, size);
    expect(problems).toEqual([expect.stringContaining('extension/dist/extension.cjs')]);
  });

  it('tells the size that is above the limit', () => {
    const problems = problemsOf(entriesOf(names), staged, { bytes: 91e6, maxBytes: 90e6 });
    expect(problems).toEqual(['It has 91.0 MB; the limit is 90.0 MB.']);
  });
});

describe('the directory of an archive', () => {
  it('gives the files with their packed sizes, without folders', async () => {
    const file = path.join(folder, 'some.vsix');
    await writeFile(file, archiveOf(['extension/', 'extension/läs.md', 'extension.vsixmanifest']));
    expect(await archiveEntries(file)).toEqual([
      { name: 'extension/läs.md', bytes: 7 },
      { name: 'extension.vsixmanifest', bytes: 7 },
    ]);
  });

  it('is not found in another file', async () => {
    const file = path.join(folder, 'other.vsix');
    await writeFile(file, 'This is no archive, although it is longer than the end of one would be.');
    await expect(archiveEntries(file)).rejects.toThrow('no zip archive');
  });

  it('adds up what a package of others takes', () => {
    const entries = [
      { name: 'extension/dist/node_modules/@a/b/one.js', bytes: 2 },
      { name: 'extension/dist/node_modules/@a/b/c/two.js', bytes: 3 },
      { name: 'extension/dist/extension.cjs', bytes: 4 },
    ];
    expect(partsOf(entries)).toEqual([
      { part: 'extension/dist/node_modules/@a/b', bytes: 5 },
      { part: 'extension/dist', bytes: 4 },
    ]);
  });
});

describe('what is put together', () => {
  it('has a manifest without what only a checkout uses', () => {
    const manifest = stagedManifest('{"name":"locret","main":"x.cjs","private":true,"scripts":{},"dependencies":{}}');
    expect(JSON.parse(manifest)).toEqual({ name: 'locret', main: 'x.cjs' });
  });

  it('has a README that points at nothing that does not come along', () => {
    const readme =
      '![A picture](docs/a.png)\n\n[Guide](docs/guide.md) and [paper](https://arxiv.org/abs/1), [below](#x).\n';
    expect(stagedReadme(readme)).toBe('Guide and [paper](https://arxiv.org/abs/1), [below](#x).\n');
  });

  it.each(targetNames)('has the native files of %s only', (target) => {
    const [system = '', processor = ''] = target.split('-');
    const files = nativeFilesOf(target);
    expect(files).toHaveLength(2);
    for (const file of files) expect(file).toContain(`/${system}/${processor}/`);
  });

  it('is refused for a platform without native files, with those that have some', () => {
    expect(() => nativeFilesOf('darwin-x64')).toThrow('linux-x64');
  });
});

describe('third-party notices', () => {
  it('are about each package once, also about one inside another', () => {
    const files = [
      'server/main.ts',
      'node_modules/a/x.js',
      'node_modules/a/y.js',
      'node_modules/a/node_modules/@b/c/z.js',
    ];
    expect(packageFoldersOf(files)).toEqual(['node_modules/a', 'node_modules/a/node_modules/@b/c']);
  });

  it('cannot be written without the text of a licence', async () => {
    await writeFile(path.join(folder, 'package.json'), '{"name":"a","version":"1.2.3","license":"ISC"}');
    await expect(thirdPartyNotices([folder])).rejects.toThrow('the text of its licence');
  });

  it('hold the text of the licence', async () => {
    await writeFile(path.join(folder, 'LICENSE.md'), 'Do as you like.\n');
    expect(await thirdPartyNotices([folder])).toContain('## a 1.2.3 (ISC)\n\nDo as you like.\n');
    expect(await thirdPartyNotices([folder], [cudaRuntimeNotice])).toMatch(
      /Do as you like\.\n\n---\n\n## NVIDIA CUDA Runtime/,
    );
  });
});
