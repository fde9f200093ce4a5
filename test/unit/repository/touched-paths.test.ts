import { mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectChanges, type RepositoryChanges } from '../../../server/repository/changes.js';
import type { RepositoryFile, Survey } from '../../../server/repository/source.js';
import { surveyRepository } from '../../../server/repository/survey.js';
import { git, options, temporaryFolder, writeFiles } from './temporary-folder.js';

/** A repository that was read, looked at again as a watcher tells of it. */
class WatchedRepository {
  private changes: RepositoryChanges | undefined;

  private constructor(
    readonly survey: Survey,
    private readonly read: readonly RepositoryFile[],
  ) {}

  static async of(root: string): Promise<WatchedRepository> {
    const survey = await surveyRepository(root, options);
    const watched = new WatchedRepository(survey, survey.files);
    watched.changes = await watched.everything();
    return watched;
  }

  path(place: string): string {
    return path.join(this.survey.root, place);
  }

  /** The changes, from what was touched alone; they are what looking at everything finds. */
  async after(...touched: string[]): Promise<string[]> {
    const { changes } = this;
    if (changes === undefined) throw new Error('nothing was compared');
    const since = { changes, touched };
    this.changes = await detectChanges(this.survey, this.read, options, { since });
    const { changed, survey } = await this.everything();
    expect({ changed: this.changes.changed, survey: this.changes.survey }).toEqual({ changed, survey });
    return changed.map(({ path: file, change }) => `${change} ${file}`);
  }

  private everything(): Promise<RepositoryChanges> {
    return detectChanges(this.survey, this.read, options);
  }
}

async function watched(files: Readonly<Record<string, string>>): Promise<WatchedRepository> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  return WatchedRepository.of(root);
}

const sources = {
  'README.md': 'text',
  'a.ts': "import './src/deep/z.js';",
  'src/b.ts': 'b',
  'src/deep/c.ts': 'c',
  'src/deep/z.ts': 'z',
  'other/d.ts': 'd',
};

describe('looking at touched paths alone finds what looking at everything finds, when', () => {
  it('a file was edited, edited back, or only touched', async () => {
    const repository = await watched(sources);
    await writeFile(repository.path('src/b.ts'), 'edited');
    expect(await repository.after('src/b.ts')).toEqual(['modified src/b.ts']);
    await utimes(repository.path('other/d.ts'), 1, 1);
    expect(await repository.after('other/d.ts')).toEqual(['modified src/b.ts']);
    await writeFile(repository.path('src/b.ts'), 'b');
    expect(await repository.after('src/b.ts')).toEqual([]);
    expect(await repository.after()).toEqual([]);
    expect(await repository.after('not/there.ts')).toEqual([]);
  });

  it('files were added, one after the other, that import each other', async () => {
    const repository = await watched(sources);
    await writeFiles(repository.survey.root, { 'new/user.ts': "import './used.js';" });
    expect(await repository.after('new/user.ts')).toEqual(['added new/user.ts']);
    await writeFiles(repository.survey.root, { 'new/used.ts': 'x', 'new/skipped.bin': '\0' });
    expect(await repository.after('new/used.ts', 'new/skipped.bin')).toEqual([
      'added new/used.ts',
      'added new/user.ts',
    ]);
    await unlink(repository.path('new/skipped.bin'));
    await unlink(repository.path('new/user.ts'));
    expect(await repository.after('new/skipped.bin', 'new/user.ts')).toEqual(['added new/used.ts']);
  });

  it('a file was removed and came back, or became something that is not read', async () => {
    const repository = await watched(sources);
    await unlink(repository.path('a.ts'));
    expect(await repository.after('a.ts')).toEqual(['removed a.ts']);
    await writeFile(repository.path('src/b.ts'), '\0');
    expect(await repository.after('src/b.ts')).toEqual(['removed a.ts', 'removed src/b.ts']);
    await writeFile(repository.path('a.ts'), sources['a.ts']);
    expect(await repository.after('a.ts')).toEqual(['removed src/b.ts']);
  });

  it('a file or a folder was renamed', async () => {
    const repository = await watched(sources);
    await rename(repository.path('a.ts'), repository.path('src/renamed.ts'));
    expect(await repository.after('a.ts', 'src/renamed.ts')).toEqual(['removed a.ts', 'added src/renamed.ts']);
    await rename(repository.path('src'), repository.path('lib'));
    // As VS Code tells it: of the folders only.
    expect(await repository.after('src', 'lib')).toEqual([
      'removed a.ts',
      'added lib/b.ts',
      'added lib/deep/c.ts',
      'added lib/deep/z.ts',
      'added lib/renamed.ts',
      'removed src/b.ts',
      'removed src/deep/c.ts',
      'removed src/deep/z.ts',
    ]);
  });

  it('a folder was removed, or became a file', async () => {
    const repository = await watched(sources);
    await rm(repository.path('src/deep'), { recursive: true });
    expect(await repository.after('src/deep')).toEqual(['removed src/deep/c.ts', 'removed src/deep/z.ts']);
    await writeFile(repository.path('src/deep'), 'now a file');
    expect(await repository.after('src/deep')).toEqual([
      'added src/deep',
      'removed src/deep/c.ts',
      'removed src/deep/z.ts',
    ]);
  });

  it('rules say otherwise which files belong to the repository', async () => {
    const repository = await watched({ ...sources, 'src/deep/.gitignore': 'nothing' });
    await writeFile(repository.path('src/deep/.gitignore'), 'c.ts');
    expect(await repository.after('src/deep/.gitignore')).toEqual([
      'modified src/deep/.gitignore',
      'removed src/deep/c.ts',
    ]);
    await writeFile(repository.path('.locretignore'), 'other/\n!src/deep/c.ts\n');
    expect(await repository.after('.locretignore')).toEqual([
      'added .locretignore',
      'removed other/d.ts',
      'modified src/deep/.gitignore',
    ]);
    await writeFiles(repository.survey.root, { 'other/e.ts': 'ignored', 'src/deep/c.ts': 'edited' });
    expect(await repository.after('other/e.ts', 'src/deep/c.ts')).toContain('modified src/deep/c.ts');
    await unlink(repository.path('.locretignore'));
    expect(await repository.after('.locretignore')).toContain('added other/e.ts');
  });

  it("git's list of what it tracks has changed, or another branch was checked out", async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { ...sources, '.gitignore': 'other/' });
    git(root, 'init');
    git(root, 'add', '.');
    git(root, 'commit', '-m', 'first');
    const repository = await WatchedRepository.of(root);
    git(root, 'add', '--force', 'other/d.ts');
    expect(await repository.after('.git/index')).toEqual(['added other/d.ts']);
    git(root, 'checkout', '-q', '-b', 'branch');
    git(root, 'rm', '-q', 'src/b.ts');
    await writeFile(repository.path('a.ts'), 'of the branch');
    git(root, 'commit', '-q', '-a', '-m', 'second');
    expect(await repository.after('.git/index', 'src/b.ts')).toContain('removed src/b.ts');
    git(root, 'checkout', '-q', '-');
    expect(await repository.after('.git/index')).toEqual([]);
  });

  it('a folder became a repository of its own, was edited as such, and is none any more', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, sources);
    git(root, 'init');
    const repository = await WatchedRepository.of(root);
    git(repository.path('src'), 'init');
    const removed = ['removed src/b.ts', 'removed src/deep/c.ts', 'removed src/deep/z.ts'];
    expect(await repository.after('src/.git')).toEqual(removed);
    await writeFile(repository.path('src/b.ts'), 'edited');
    expect(await repository.after('src/b.ts')).toEqual(removed);
    await rm(repository.path('src/.git'), { recursive: true });
    expect(await repository.after('src/.git')).toEqual(['modified src/b.ts']);
  });

  it('a file was edited through a link to it, or to a folder above it', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, sources);
    await symlink(path.join(root, 'src/deep'), path.join(root, 'linked'));
    await symlink('b.ts', path.join(root, 'src/also-b.ts'));
    const repository = await WatchedRepository.of(root);
    await writeFile(repository.path('linked/c.ts'), 'edited');
    expect(await repository.after('linked/c.ts')).toEqual(['modified src/deep/c.ts']);
    await writeFile(repository.path('src/also-b.ts'), 'edited');
    expect(await repository.after('src/also-b.ts')).toEqual(['modified src/b.ts', 'modified src/deep/c.ts']);
  });

  it('a file or a folder became a link, inside or out', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, sources);
    await mkdir(path.join(root, '../outside'));
    const repository = await WatchedRepository.of(root);
    await unlink(repository.path('a.ts'));
    await symlink('../outside', repository.path('a.ts'));
    expect(await repository.after('a.ts')).toEqual(['removed a.ts']);
    await rename(repository.path('src'), repository.path('moved'));
    await symlink('moved', repository.path('src'));
    expect(await repository.after('src', 'moved')).toContain('removed src/b.ts');
    await unlink(repository.path('a.ts'));
    expect(await repository.after('a.ts')).not.toContain('modified a.ts');
  });

  it('the root is gone, and there again', async () => {
    const repository = await watched(sources);
    await rename(repository.survey.root, `${repository.survey.root} moved`);
    expect(await repository.after('a.ts')).toHaveLength(Object.keys(sources).length);
    await rename(`${repository.survey.root} moved`, repository.survey.root);
    expect(await repository.after('')).toEqual([]);
  });
});
