import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { existingFile } from '../../../../extension/conversation/existing-file.js';

let folder: string;

beforeAll(async () => {
  const parent = await mkdtemp(path.join(tmpdir(), 'locret-files-'));
  folder = path.join(parent, 'root');
  await mkdir(path.join(folder, 'src'), { recursive: true });
  await writeFile(path.join(folder, 'src/a.ts'), '');
  await writeFile(path.join(parent, 'secret.txt'), '');
  await symlink(path.join(parent, 'secret.txt'), path.join(folder, 'link.txt'));
  await symlink(path.join(folder, 'src/a.ts'), path.join(folder, 'inner.ts'));
  return () => rm(parent, { recursive: true, force: true });
});

test('a file inside the folder is found', async () => {
  expect(await existingFile(folder, 'src/a.ts')).toBe(path.join(folder, 'src/a.ts'));
  expect(await existingFile(folder, './src/./a.ts')).toBe(path.join(folder, 'src/a.ts'));
  expect(await existingFile(folder, 'inner.ts')).toBe(path.join(folder, 'inner.ts'));
});

test.each([
  '../secret.txt',
  'src/../../secret.txt',
  'link.txt',
  '/etc/passwd',
  'C:/windows/win.ini',
  'src',
  'src\\a.ts',
  'src/a.ts\0',
  'absent.ts',
  '',
])('%j is none', async (name) => {
  expect(await existingFile(folder, name)).toBeUndefined();
});
