import { rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { RepositorySearch } from '../../../server/search/repository-search.js';
import type { Place } from '../../../server/search/place.js';
import { options, temporaryFolder, writeFiles } from '../repository/temporary-folder.js';

const sources = {
  'src/store.py': 'def load_level(station):\n    """Reads the level of a station from the disk."""\n    return 1\n',
  'src/report.py': 'from store import load_level\n\n\ndef print_report():\n    print(load_level("hoek"))\n',
  'tests/test_store.py': 'from store import load_level\n\n\ndef test_load_level():\n    assert load_level("a") == 1\n',
  'docs/guide.md': '# Guide\n\nUse `load_level`.\n\n## Reading the Tide Table\n\nIt is printed.\n',
  'config.yaml': 'retries: 3\n',
};

async function searchIn(files: Readonly<Record<string, string | Uint8Array>>): Promise<[RepositorySearch, string]> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  return [await RepositorySearch.open(root, options), root];
}

const links = (places: readonly Place[]): string[] => places.map(({ path: file, line }) => `${file}:${line}`);

describe('a search', () => {
  it('finds a definition before its mentions, with its line and why', async () => {
    const [search] = await searchIn(sources);
    const [first, ...others] = await search.find('load_level');
    expect(first).toEqual({
      path: 'src/store.py',
      line: 1,
      endLine: 3,
      name: 'load_level',
      text: 'def load_level(station):',
      why: 'the function load_level',
      reason: 'name',
    });
    expect(others.map(({ path: file }) => file)).toContain('docs/guide.md');
  });

  it('finds a place by a description of it', async () => {
    const [search] = await searchIn(sources);
    expect(links(await search.find('Where is the level of a station read from disk?'))[0]).toBe('src/store.py:1');
  });

  it('says where something is used: calls before imports, sources before tests', async () => {
    const [search] = await searchIn(sources);
    const places = await search.find('Who calls load_level?');
    expect(links(places).slice(0, 2)).toEqual(['src/report.py:5', 'tests/test_store.py:5']);
    expect(places[0]).toMatchObject({ name: 'print_report', why: 'calls load_level', reason: 'use' });
    expect(links(places)).toContain('src/store.py:1');
    expect(links(await search.mentions('load_level', 1))).toEqual(['src/report.py:5']);
  });

  it('finds tests where tests are asked for', async () => {
    const [search] = await searchIn(sources);
    expect((await search.find('Where are the tests for load_level?'))[0]?.path).toBe('tests/test_store.py');
  });

  it('puts what the cursor stands on first', async () => {
    const [search] = await searchIn({ 'a.js': 'function draw() {\n}\n', 'b.js': 'function draw() {\n  1\n}\n' });
    const [first] = await search.find('draw', { cursor: { path: 'b.js', line: 2 } });
    expect(first?.path).toBe('b.js');
  });

  it('gives no more places than asked for, and none for what is nowhere', async () => {
    const [search] = await searchIn(sources);
    expect(await search.find('load_level', { limit: 1 })).toHaveLength(1);
    expect(await search.find('zzyzx')).toEqual([]);
    expect(await search.find('')).toEqual([]);
  });

  it('never denies what stands anywhere', async () => {
    const [search] = await searchIn(sources);
    expect(search.isKnown('load_level')).toMatchObject({ definitions: 1, files: 4 });
    expect(search.isKnown('`retries`'.replaceAll('`', ''))).toMatchObject({ definitions: 1, occurrences: 1 });
    expect(search.isKnown('Tide Table').files).toBe(1);
    expect(search.isKnown('docs/guide.md').paths).toBe(1);
    expect(search.isKnown('nowhere_at_all')).toEqual({ definitions: 0, occurrences: 0, files: 0, paths: 0 });
  });

  it('gives texts of the best places within a budget', async () => {
    const [search] = await searchIn(sources);
    const [first] = await search.passages('load_level', 12);
    expect(first).toEqual({ path: 'src/store.py', line: 1, endLine: 1, text: 'def load_level(station):' });
  });

  it('is the same whatever order files are read in', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`f${i}.py`, `def same_name():\n    return ${i}\n`]),
    );
    const [search, root] = await searchIn(files);
    const again = await RepositorySearch.open(root, options);
    expect(links(await again.find('same_name'))).toEqual(links(await search.find('same_name')));
  });
});

describe('after a change', () => {
  it('finds what is new, renamed and edited, and nothing of what is gone', async () => {
    const [search, root] = await searchIn(sources);
    await writeFiles(root, {
      'src/added.py': 'def brand_new():\n    pass\n',
      'src/moved.py': sources['src/report.py'],
      'src/store.py': '\n\ndef save_level(station):\n    return 2\n',
    });
    await rm(path.join(root, 'src/report.py'));
    const changed = await search.update();
    expect(changed.map(({ path: file, change }) => `${change} ${file}`)).toEqual([
      'added src/added.py',
      'added src/moved.py',
      'removed src/report.py',
      'modified src/store.py',
    ]);
    expect(links(await search.find('brand_new'))[0]).toBe('src/added.py:1');
    expect(links(await search.find('save_level'))[0]).toBe('src/store.py:3');
    expect(links(await search.find('print_report'))[0]).toBe('src/moved.py:4');
    expect(search.isKnown('load_level').definitions).toBe(0);
    expect(await search.update()).toEqual([]);
  });

  it('looks only at what was touched, by the rules of the repository', async () => {
    const [search, root] = await searchIn({ ...sources, '.gitignore': 'dist/\n' });
    await writeFiles(root, { 'dist/out.py': 'def hidden_there(): pass\n', 'src/new.py': 'def seen_here(): pass\n' });
    expect(await search.update(['dist/out.py', 'src/new.py'])).toEqual([{ path: 'src/new.py', change: 'added' }]);
    expect(search.isKnown('hidden_there').occurrences).toBe(0);
    expect(links(await search.find('seen_here'))).toEqual(['src/new.py:1']);
  });

  it('finds a definition that moved since, without being told', async () => {
    const [search, root] = await searchIn(sources);
    await writeFiles(root, { 'src/store.py': `# moved\n# down\n${sources['src/store.py']}` });
    expect(links(await search.find('load_level'))[0]).toBe('src/store.py:3');
  });

  it('is searched whole when most of it changed', async () => {
    const [search, root] = await searchIn(sources);
    const many = Array.from({ length: 60 }, (_, i) => [`m${i}.py`, `def made_${i}(): pass\n`] as const);
    await writeFiles(root, Object.fromEntries(many));
    await search.update();
    expect(links(await search.find('made_59'))).toContain('m59.py:1');
    expect(links(await search.find('load_level'))[0]).toBe('src/store.py:1');
  });

  it('survives files that vanish before the question', async () => {
    const [search, root] = await searchIn(sources);
    await rm(path.join(root, 'src'), { recursive: true });
    expect((await search.find('load_level')).every(({ path: file }) => !file.startsWith('src/'))).toBe(true);
  });
});

describe('hostile repositories', () => {
  it('are searched for what people wrote in them', async () => {
    const [search] = await searchIn({
      'huge-line.txt': 'x'.repeat(90_000),
      'brackets.js': '('.repeat(90_000),
      'many.md': '# a\n'.repeat(20_000),
      'controls.py': '\u001b[31mdef evil(): pass\n',
      'right.py': 'def right_here(): pass\n',
    });
    expect(links(await search.find('right_here'))[0]).toBe('right.py:1');
  });

  it('lead nowhere else', async () => {
    const [search, root] = await searchIn({ ...sources, '../outside/secret.py': 'def load_level(): pass\n' });
    await rm(path.join(root, 'src'), { recursive: true });
    await symlink(path.join(root, '../outside'), path.join(root, 'src'));
    await writeFiles(root, { '../outside/store.py': 'def load_level(): pass\n' });
    expect((await search.find('load_level')).every(({ path: file }) => !file.startsWith('src/'))).toBe(true);
  });
});
