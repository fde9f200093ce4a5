import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it, type TestContext } from 'vitest';
import { apples, expectAnswer, expectFailure, Terminal, whereIsCountApples } from './terminal.js';

const terminal = new Terminal();
const root = terminal.repository('apples', apples);
const ask = ['ask', '--repo', root, whereIsCountApples];
const mounted: string[] = [];

afterAll(() => {
  for (const folder of mounted) spawnSync('umount', [folder]);
  terminal.remove();
});

/** A small disk of its own; where the tests may not mount one, the test is skipped. */
function disk(name: string, size: string, { skip }: TestContext): string {
  const folder = path.join(terminal.folder, name);
  mkdirSync(folder);
  const { status, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  if (error !== undefined || status !== 0) skip('mounting a small disk takes rights that the tests do not have');
  mounted.push(folder);
  return folder;
}

describe('a cache folder that cannot be written', () => {
  it('because a file is in its place: the answer comes, with notices', async () => {
    const file = path.join(terminal.folder, 'a file');
    writeFileSync(file, '');
    const ended = await terminal.start(ask, { environment: { XDG_CACHE_HOME: file } }).ended;
    expectAnswer(ended, 'apple.ts:1');
    expect(ended.stderr).toMatch(/packed weights cannot be written to .*a file.*set XDG_CACHE_HOME/);
    expect(ended.stderr).toMatch(/snapshot cannot be written to .*a file.*set XDG_CACHE_HOME/);
  });

  it('because it is read-only: the answer comes, and what is there already is used', async () => {
    const folder = path.join(terminal.folder, 'read-only');
    mkdirSync(folder);
    const environment = { XDG_CACHE_HOME: folder };
    chmodSync(folder, 0o555);
    const withoutCache = await terminal.start(ask, { environment, asPlainUser: true }).ended;
    expectAnswer(withoutCache, 'apple.ts:1');
    expect(withoutCache.stderr).toMatch(/packed weights cannot be written to .*EACCES.*Make that folder writable/);

    chmodSync(folder, 0o777);
    expectAnswer(await terminal.start(ask, { environment }).ended, 'apple.ts:1');
    chmodSync(folder, 0o555);
    const withCache = await terminal.start(ask, { environment, asPlainUser: true }).ended;
    expectAnswer(withCache, 'apple.ts:1');
    expect(withCache.stdout).toContain('restored in');
    expect(withCache.stderr).toBe('');
  });
});

describe('a full disk', () => {
  it('while the weights are packed: they are packed elsewhere, and the answer comes', async (context) => {
    const folder = disk('too small for weights', '4m', context);
    const ended = await terminal.start(ask, { environment: { XDG_CACHE_HOME: folder } }).ended;
    expectAnswer(ended, 'apple.ts:1');
    expect(ended.stderr).toMatch(/packed weights cannot be written to .*ENOSPC.*Free space on that disk/);
  });

  it('and no other: a message that names the folder and leaves nothing behind', async (context) => {
    const folder = disk('too small for anything', '4m', context);
    const environment = { XDG_CACHE_HOME: folder, TMPDIR: folder };
    expectFailure(
      await terminal.start(ask, { environment }).ended,
      /packed weights cannot be written to .*too small for anything.*ENOSPC.*\nFree space on that disk/,
    );
    expect(spawnSync('find', [folder, '-type', 'f'], { encoding: 'utf8' }).stdout).toBe('');
  });

  it('while a snapshot is written: the answer comes, and the snapshot before it stays', async (context) => {
    const cacheHome = disk('too small for two snapshots', '18m', context);
    const environment = { XDG_CACHE_HOME: cacheHome };
    const filler = path.join(cacheHome, 'filler');
    const growing = terminal.repository('growing', { 'a.md': 'words and numbers\n'.repeat(400), ...apples });
    const askGrowing = ['ask', '--repo', growing, whereIsCountApples];
    expectAnswer(await terminal.start(askGrowing, { environment }).ended, 'apple.ts:1');

    const room = spawnSync('df', ['--output=avail', '-B1', cacheHome], { encoding: 'utf8' }).stdout.split('\n')[1];
    writeFileSync(filler, new Uint8Array(Math.max(0, Number(room) - 100_000)));
    const ended = await terminal.start([...askGrowing, '--fresh'], { environment }).ended;
    expectAnswer(ended, 'apple.ts:1');
    expect(ended.stderr).toMatch(/snapshot cannot be written to .*ENOSPC.*Free space on that disk/);
    const left = spawnSync('find', [cacheHome, '-name', '*.partial', '-o', '-name', '*.lock'], { encoding: 'utf8' });
    expect(left.stdout).toBe('');

    const again = await terminal.start(askGrowing, { environment }).ended;
    expectAnswer(again, 'apple.ts:1');
    expect(again.stdout).toContain('restored in');
  });
});

describe('the cache folder', () => {
  it('holds what this program writes and nothing else', async () => {
    expectAnswer(await terminal.start(ask).ended, 'apple.ts:1');
    expect(terminal.cached(/./)).not.toEqual([]);
    expect(terminal.cached(/^(?!locret\/(?:memories|weights)\/)/)).toEqual([]);
  });

  it.each([/backbone.*\.weights$/, /heads.*\.weights$/, /\.onnx$/, /\.seal$/])(
    'is made whole again where a file is cut: %s',
    async (pattern) => {
      expectAnswer(await terminal.start(ask).ended, 'apple.ts:1');
      const [file = ''] = terminal.cached(pattern);
      const { size } = statSync(path.join(terminal.cacheHome, file));
      truncateSync(path.join(terminal.cacheHome, file), size >> 1);
      expectAnswer(await terminal.start(ask).ended, 'apple.ts:1');
      expect(statSync(path.join(terminal.cacheHome, file)).size).toBe(size);
    },
  );
});
