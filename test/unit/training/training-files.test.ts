import { describe, expect, it } from 'vitest';
import {
  findTrainingFiles,
  readSource,
  splitFiles,
  type TrainingFile,
} from '../../../server/training/training-files.js';
import { temporaryFolder, writeFiles } from '../repository/temporary-folder.js';

const source = 'export function add(a, b) {\n  return a + b;\n}\n';
const names = Array.from({ length: 60 }, (_, index) => `src/file${index}.js`);

const fileAt = (path: string): TrainingFile => ({
  root: '/repository',
  repository: 'repository',
  file: { path, bytes: 1, modified: 0, hash: '', lines: 1, language: 'javascript' },
});

describe('splitFiles', () => {
  it('keeps a file on its side when others come and go', () => {
    const whole = splitFiles(names.map(fileAt)).heldOut.map(({ file }) => file.path);
    const half = splitFiles(names.slice(0, 30).map(fileAt)).heldOut.map(({ file }) => file.path);
    expect(half.length).toBeGreaterThan(0);
    expect(whole.filter((name) => names.indexOf(name) < 30)).toEqual(half);
  });

  it('leaves something on both sides of any two files', () => {
    for (let index = 0; index + 1 < names.length; index++) {
      const { training, heldOut } = splitFiles(names.slice(index, index + 2).map(fileAt));
      expect([training.length, heldOut.length]).toEqual([1, 1]);
    }
  });
});

describe('findTrainingFiles', () => {
  it('holds out about a tenth of the files with an outline', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, Object.fromEntries([...names, 'README.md', 'data.json'].map((name) => [name, source])));
    const { training, heldOut } = await findTrainingFiles([root], {});
    expect(heldOut.length).toBeGreaterThan(0);
    expect(heldOut.length).toBeLessThan(15);
    expect([...training, ...heldOut].map(({ file }) => file.path).sort()).toEqual([...names].sort());
  });

  it('refuses repositories with too little source', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { 'README.md': 'text\n', 'only.js': source });
    await expect(findTrainingFiles([root], {})).rejects.toMatchObject({
      code: 'repository-empty',
      message: /definitions: 1/,
    });
  });
});

describe('readSource', () => {
  it('passes over what is gone, no text, or without definitions', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, {
      'good.js': source,
      'empty.js': '// nothing\n',
      'binary.js': Buffer.from([0xff, 0xfe, 0x41]),
    });
    const file = (path: string): TrainingFile => ({ ...fileAt(path), root });
    expect((await readSource(file('good.js')))?.definitions.map(({ name }) => name)).toEqual(['add']);
    for (const name of ['empty.js', 'binary.js', 'gone.js', '.']) expect(await readSource(file(name))).toBeUndefined();
  });
});
