import { symlink, unlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { surveyRepository } from '../../../server/repository/survey.js';
import { git, gitFiles, options, surveyedPaths, temporaryFolder, writeFiles } from './temporary-folder.js';

const nestedRules = {
  '.gitignore': [
    '# a comment',
    '*.log',
    '!keep.log',
    '/top.txt',
    'build/',
    'docs/*.tmp',
    '**/cache',
    'a/**/z.txt',
    '\\!bang.txt',
    '\\#hash.txt',
    'trail.txt   ',
    'space\\ ',
    '[ab]c.txt',
    'x?y.txt',
    'sub/dir/',
    'crlf.txt\r',
    '/deep/*',
    '!/deep/kept',
  ].join('\n'),
  'keep.log': 'x',
  'drop.log': 'x',
  'top.txt': 'x',
  'inner/top.txt': 'x',
  'build/out.js': 'x',
  'inner/build': 'x',
  'docs/a.tmp': 'x',
  'docs/more/a.tmp': 'x',
  'p/q/cache/f': 'x',
  'a/z.txt': 'x',
  'a/b/c/z.txt': 'x',
  '!bang.txt': 'x',
  '#hash.txt': 'x',
  'trail.txt': 'x',
  'space ': 'x',
  'ac.txt': 'x',
  'cc.txt': 'x',
  'x1y.txt': 'x',
  'x12y.txt': 'x',
  'sub/dir/f.txt': 'x',
  'other/sub/dir/f.txt': 'x',
  'crlf.txt': 'x',
  'deep/gone/f.txt': 'x',
  'deep/kept/f.txt': 'x',
  'inner/.gitignore': '!drop.log\n/only-here.txt\nlocal/*\n!local/yes.txt\n*.md\n!/important.md',
  'inner/drop.log': 'x',
  'inner/only-here.txt': 'x',
  'inner/below/only-here.txt': 'x',
  'inner/local/no.txt': 'x',
  'inner/local/yes.txt': 'x',
  'inner/important.md': 'x',
  'inner/below/important.md': 'x',
  'inner/below/.gitignore': '!*.md',
  'odd [name]*/.gitignore': 'secret.txt\n/folder/inner.txt',
  'odd [name]*/secret.txt': 'x',
  'odd [name]*/open.txt': 'x',
  'odd [name]*/folder/inner.txt': 'x',
  'odd n/secret.txt': 'x',
  'ümläut und leer/日本語.txt': 'x',
  'ümläut und leer/.gitignore': '日*.log',
  'ümläut und leer/日本.log': 'x',
  'excluded-by-info.txt': 'x',
  'excluded-globally.txt': 'x',
  'again-included.txt': 'x',
};

describe('what belongs to a repository', () => {
  it('is what git lists, with rules at every level', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, {
      ...nestedRules,
      '.git/info/exclude': 'excluded-by-info.txt\n!again-included.txt\n',
    });
    await writeFiles(os.homedir(), { '.config/git/ignore': 'excluded-globally.txt\nagain-included.txt\n' });
    const expected = gitFiles(root);
    expect(expected).toContain('inner/below/important.md');
    expect(expected).not.toContain('excluded-globally.txt');
    expect(await surveyedPaths(root)).toEqual(expected);
  });

  it('is what git lists below a folder of the work tree, whose rules lie above it', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, nestedRules);
    for (const folder of ['inner', 'inner/below', 'odd [name]*', 'deep', 'ümläut und leer']) {
      const below = path.join(root, folder);
      expect(await surveyedPaths(below), folder).toEqual(gitFiles(below));
    }
  });

  it('is what git lists with core.excludesFile and core.ignoreCase set', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    git(root, 'config', 'core.excludesFile', '~/my excludes');
    git(root, 'config', 'core.ignoreCase', 'true');
    await writeFiles(os.homedir(), { 'my excludes': 'mine.txt\n' });
    await writeFiles(root, { 'mine.txt': 'x', 'UPPER.TXT': 'x', 'b.txt': 'x', '.gitignore': 'upper.txt\n' });
    const expected = gitFiles(root);
    expect(expected).toEqual(['.gitignore', 'b.txt']);
    expect(await surveyedPaths(root)).toEqual(expected);
  });

  it.each([2, 3, 4])('holds files that an index of version %i tracks although they are ignored', async (version) => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, {
      '.gitignore': 'dist/\n*.log\n',
      'dist/deep/tracked.js': 'x',
      'dist/deep/untracked.js': 'x',
      'ä/tracked.log': 'x',
      'ä/untracked.log': 'x',
      'gone.txt': 'x',
      'plain.txt': 'x',
    });
    git(root, 'add', '-f', 'dist/deep/tracked.js', 'ä/tracked.log', 'gone.txt');
    git(root, 'update-index', '--index-version', String(version));
    // A flag that only version 3 has room for.
    if (version === 3) git(root, 'update-index', '--skip-worktree', 'ä/tracked.log');
    await unlink(path.join(root, 'gone.txt'));
    const expected = gitFiles(root);
    expect(expected).toEqual(['.gitignore', 'dist/deep/tracked.js', 'plain.txt', 'ä/tracked.log']);
    expect(await surveyedPaths(root)).toEqual(expected);
    expect(await surveyedPaths(path.join(root, 'dist'))).toEqual(['deep/tracked.js']);
  });

  it('is what git lists in a linked work tree and in one with SHA-256 names', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q', '--object-format=sha256');
    await writeFiles(root, { 'a.txt': 'x', '.gitignore': 'ignored.txt\n', 'ignored.txt': 'x' });
    git(root, 'add', '-f', '.');
    git(root, 'commit', '-q', '-m', 'first');
    await writeFiles(root, { '.git/info/exclude': 'shared.txt\n' });
    const linked = path.join(path.dirname(root), 'linked');
    git(root, 'worktree', 'add', '-q', '-b', 'other', linked);
    await writeFiles(linked, { 'shared.txt': 'x', 'new.txt': 'x' });
    expect(await surveyedPaths(root)).toEqual(gitFiles(root));
    expect(gitFiles(linked)).toEqual(['.gitignore', 'a.txt', 'ignored.txt', 'new.txt']);
    expect(await surveyedPaths(linked)).toEqual(gitFiles(linked));
  });

  it('is what git lists for random rules and trees', async () => {
    const parts = ['a', 'b', 'ab', 'c.txt', 'd.js'];
    const pieces = ['a', 'b', '*', '?', '**', '/', '/', '!', 'c.txt', '*.js', '[ab]', '\\a', '[!a]'];
    let state = 12_345;
    const pick = <T>(list: readonly T[], fallback: T): T => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return list[Math.floor((state / 2_147_483_648) * list.length)] ?? fallback;
    };
    for (let round = 0; round < 40; round++) {
      const root = await temporaryFolder();
      git(root, 'init', '-q');
      const files: Record<string, string> = { 'always.md': 'x' };
      for (let file = 0; file < 40; file++) {
        const folders = Array.from({ length: pick([0, 1, 2, 3], 0) }, () => pick(parts.slice(0, 3), 'a'));
        files[[...folders.map((folder) => `${folder}-`), pick(parts, 'a')].join('/').replaceAll('-/', '/')] = 'x';
      }
      const names = Object.keys(files);
      for (const name of names)
        if (names.some((other) => other.startsWith(`${name}/`))) Reflect.deleteProperty(files, name);
      const folders = [
        '',
        ...Object.keys(files).map((name) => (name.includes('/') ? `${path.posix.dirname(name)}/` : '')),
      ];
      const rules: Record<string, string> = {};
      for (const folder of [pick(folders, ''), pick(folders, ''), '']) {
        const lines = Array.from({ length: 5 }, () =>
          Array.from({ length: pick([1, 2, 3, 4], 1) }, () => pick(pieces, 'a')).join(''),
        );
        rules[`${folder}.gitignore`] = lines.join('\n');
      }
      await writeFiles(root, { ...files, ...rules });
      const found = await surveyRepository(root, options).then(
        (survey) => survey.files.map((file) => file.path).sort(),
        () => [],
      );
      expect(found, JSON.stringify(rules)).toEqual(gitFiles(root));
    }
  });

  it('leaves a repository inside a repository to itself, and reports it', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, {
      'a.txt': 'x',
      'inside/b.txt': 'x',
      'not-a-repository/.git/x': 'x',
      'not-a-repository/c.txt': 'x',
    });
    git(path.join(root, 'inside'), 'init', '-q');
    const survey = await surveyRepository(root, options);
    expect(survey.files.map((file) => file.path).sort()).toEqual(gitFiles(root));
    expect(survey.skipped).toEqual([expect.objectContaining({ path: 'inside/', reason: 'nested-repository' })]);
  });

  it('holds the repositories in a folder that is in none, each by its rules', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, {
      'one/a.txt': 'x',
      'one/.gitignore': '*.log',
      'one/a.log': 'x',
      'two/a.log': 'x',
      'two/secret.txt': 'x',
    });
    for (const name of ['one', 'two']) git(path.join(root, name), 'init', '-q');
    await writeFiles(root, { 'two/.git/info/exclude': 'secret.txt' });
    expect(await surveyedPaths(root)).toEqual(['one/.gitignore', 'one/a.txt', 'two/a.log']);
  });

  it('obeys .gitignore in a folder without git', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { '.gitignore': 'no.txt', 'no.txt': 'x', 'yes.txt': 'x' });
    expect(await surveyedPaths(root)).toEqual(['.gitignore', 'yes.txt']);
  });

  it('is all of a folder that the work tree around it ignores', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, { '.gitignore': 'node_modules/', 'node_modules/pkg/index.js': 'x' });
    expect(await surveyedPaths(path.join(root, 'node_modules/pkg'))).toEqual(['index.js']);
  });

  it('neither follows links nor reads what they lead to twice', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { 'a/real.txt': 'x' });
    await writeFiles(path.dirname(root), { 'outside.txt': 'x' });
    await symlink('real.txt', path.join(root, 'a/link.txt'));
    await symlink('..', path.join(root, 'a/loop'));
    await symlink('self', path.join(root, 'self'));
    await symlink('../outside.txt', path.join(root, 'out.txt'));
    await symlink('..', path.join(root, 'up'));
    await symlink('nowhere', path.join(root, 'broken'));
    const survey = await surveyRepository(root, options);
    expect(survey.files.map((file) => file.path)).toEqual(['a/real.txt']);
    expect(survey.skipped.map(({ path: name, reason }) => [name, reason])).toEqual([
      ['broken', 'vanished'],
      ['out.txt', 'symlink-outside'],
      ['self', 'unreadable'],
      ['up', 'symlink-outside'],
    ]);
  });
});

describe('.locretignore and the options', () => {
  const files = {
    '.gitignore': 'generated/\n*.local',
    'generated/api.ts': 'x',
    'tracked.txt': 'x',
    'b.txt': 'x',
    'sub/b.txt': 'x',
    'sub/c.md': 'x',
    'd.local': 'x',
  };

  it('leave out what git tracks, at every level', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, { ...files, '.locretignore': 'tracked.txt\n.*ignore', 'sub/.locretignore': '*.md' });
    git(root, 'add', 'tracked.txt');
    expect(await surveyedPaths(root)).toEqual(['b.txt', 'sub/b.txt']);
  });

  it('bring back what git ignores', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, { ...files, '.locretignore': '!generated/\n.*ignore' });
    expect(await surveyedPaths(root)).toEqual(['b.txt', 'generated/api.ts', 'sub/b.txt', 'sub/c.md', 'tracked.txt']);
  });

  it('choose by patterns that begin at the root, also of a folder of a work tree', async () => {
    const root = await temporaryFolder();
    git(root, 'init', '-q');
    await writeFiles(root, { 'p/a.ts': 'x', 'p/q/a.ts': 'x', 'p/q/b.md': 'x', 'p/c.ts': 'x' });
    const below = path.join(root, 'p');
    expect(await surveyedPaths(below, { exclude: ['/a.ts'] })).toEqual(['c.ts', 'q/a.ts', 'q/b.md']);
    expect(await surveyedPaths(below, { include: ['*.ts'], exclude: ['q/'] })).toEqual(['a.ts', 'c.ts']);
    expect(await surveyedPaths(below, { include: ['q/'] })).toEqual(['q/a.ts', 'q/b.md']);
  });
});
