import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { installPackages } from '../../../scripts/install.mjs';

it('leaves the packages of another work tree alone that node_modules leads to', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'locret-install-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [shared, tree] = [path.join(folder, 'shared'), path.join(folder, 'tree')];
  await mkdir(path.join(shared, 'a-package'), { recursive: true });
  await mkdir(tree);
  await writeFile(path.join(tree, 'package.json'), '{ "name": "tree", "version": "1.0.0" }');
  await writeFile(
    path.join(tree, 'package-lock.json'),
    '{ "name": "tree", "version": "1.0.0", "lockfileVersion": 3, "packages": { "": { "name": "tree", "version": "1.0.0" } } }',
  );
  await symlink(shared, path.join(tree, 'node_modules'), 'junction');
  installPackages(tree);
  expect(await readdir(shared)).toEqual(['a-package']);
});
