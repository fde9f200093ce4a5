import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { apples, expectAnswer, expectFailure, longSource, Terminal, whereIsCountApples } from './terminal.js';

const terminal = new Terminal();

afterAll(() => {
  terminal.remove();
});

interface ReadReport {
  readonly coverage: {
    readonly filesRead: number;
    readonly tokensRead: number;
    readonly skipped: readonly { readonly path: string; readonly reason: string }[];
    readonly changed: readonly { readonly path: string; readonly change: string }[];
  };
}

function parseReport(text: string): ReadReport {
  const parse: (json: string) => ReadReport = JSON.parse;
  return parse(text);
}

async function read(root: string, ...argv: string[]): Promise<ReadReport['coverage']> {
  const ended = await terminal.run('read', '--json', '--repo', root, ...argv);
  expect(ended).toMatchObject({ status: 0 });
  return parseReport(ended.stdout).coverage;
}

describe('a place that is no repository', () => {
  it('that does not exist', async () => {
    expectFailure(await terminal.ask('absent', 'x'), /The folder .*absent does not exist\.\nName a folder/);
  });

  it('that is a file', async () => {
    const root = terminal.repository('file', apples);
    expectFailure(await terminal.ask(path.join(root, 'apple.ts'), 'x'), /apple\.ts is not a folder\.\nName the folder/);
  });

  it('that is empty', async () => {
    const root = terminal.repository('empty', {});
    expectFailure(await terminal.ask(root, 'x'), /empty holds no files to read\.\nName a folder/);
  });

  it('that holds only binaries', async () => {
    const root = terminal.repository('binaries', { 'a.bin': Uint8Array.of(0, 1, 2, 0xff), 'b.bin': new Uint8Array(9) });
    expectFailure(await terminal.ask(root, 'x'), /binaries holds no text to read; .*: 2 binary\.\nName a folder/);
  });

  it('of which everything is excluded', async () => {
    const root = terminal.repository('excluded', apples);
    expectFailure(await terminal.ask(root, 'x', '--exclude', '*'), /excluded holds no files to read/);
  });

  it('that may not be listed', async () => {
    const root = terminal.repository('closed', apples);
    chmodSync(root, 0o000);
    const ended = await terminal.start(['ask', '--repo', root, 'x'], { asPlainUser: true }).ended;
    chmodSync(root, 0o755);
    expectFailure(ended, /The folder .*closed cannot be read: EACCES.*\nGive yourself the right/);
  });
});

describe('files that cannot be read', () => {
  it('skips what is not UTF-8, closed, a loop or leads outside, with reasons, and answers from the rest', async () => {
    const root = terminal.repository('mixed', {
      ...apples,
      'latin.py': Uint8Array.of(0x23, 0x20, 0x63, 0x61, 0x66, 0xe9, 0x0a),
      'utf16.txt': Uint8Array.of(0xff, 0xfe, 0x68, 0x00, 0x69, 0x00),
      'closed.ts': 'export const closed = 1;\n',
    });
    chmodSync(path.join(root, 'closed.ts'), 0o000);
    symlinkSync('loop.ts', path.join(root, 'loop.ts'));
    symlinkSync('/etc/hostname', path.join(root, 'outside.txt'));
    const environment = { XDG_CACHE_HOME: path.join(terminal.folder, 'cache of nobody') };
    const options = { asPlainUser: true, environment };
    const ended = await terminal.start(['read', '--json', '--repo', root], options).ended;
    expect(ended).toMatchObject({ status: 0 });
    const { coverage } = parseReport(ended.stdout);
    expect(coverage.skipped.map(({ path: file, reason }) => [file, reason])).toEqual([
      ['closed.ts', 'unreadable'],
      ['latin.py', 'not-utf8'],
      ['loop.ts', 'unreadable'],
      ['outside.txt', 'symlink-outside'],
      ['utf16.txt', 'not-utf8'],
    ]);
    const argv = ['ask', '--repo', root, whereIsCountApples];
    expectAnswer(await terminal.start(argv, options).ended, 'apple.ts:1');
  });

  it('skips a file of one gigabyte unread', async () => {
    const root = terminal.repository('huge', { ...apples, 'huge.txt': '' });
    truncateSync(path.join(root, 'huge.txt'), 2 ** 30);
    expect((await read(root)).skipped).toMatchObject([{ path: 'huge.txt', reason: 'too-large' }]);
  });

  it('reads names with spaces, non-ASCII and control characters, and prints them without effect', async () => {
    const root = terminal.repository('größe & names', {
      'a folder/naïve 寿司.ts': 'export function weightOfPears() {}\n',
      'line\nend.ts': 'export function nameWithLineEnd() {}\n',
      '\u001b[31mred.ts': 'export function nameWithEscape() {}\n',
    });
    expect(await read(root)).toMatchObject({ filesRead: 3, skipped: [] });
    expectAnswer(await terminal.ask(root, 'Where is `weightOfPears` defined?'), 'a folder/naïve 寿司.ts:1');
    expectAnswer(await terminal.ask(root, 'Where is `nameWithLineEnd` defined?'), 'line end.ts:1');
    expectAnswer(await terminal.ask(root, 'Where is `nameWithEscape` defined?'), '[31mred.ts:1');
  });

  it('reads some of 50,000 files, and can be stopped while it looks at all of them', async () => {
    const root = terminal.repository('many', {});
    for (let folder = 0; folder < 100; folder++) {
      mkdirSync(path.join(root, `part${folder}`));
      for (let file = 0; file < 500; file++)
        writeFileSync(path.join(root, `part${folder}`, `f${file}.ts`), `export const value${folder}x${file} = 1;\n`);
    }
    expect(await read(root, '--include', 'part7/f1*.ts')).toMatchObject({ filesRead: 111, skipped: [] });
    const reading = terminal.start(['read', '--repo', root]);
    await reading.until(() => terminal.isLocked);
    reading.kill('SIGINT');
    expectFailure(await reading.ended, /\nReading [a-z ]+ was cancelled\.\n/, 130);
    expect(terminal.leftovers()).toEqual([]);
    rmSync(root, { recursive: true });
  }, 300_000);
});

describe('files that change while they are read', () => {
  it('reads what is there, reports what vanished and what changed afterwards, and folds it in later', async () => {
    const root = terminal.repository('moving', {
      'README.md': '# Moving\n',
      'long.ts': longSource(60),
      'src/grows.ts': 'export const small = 1;\n',
      'src/vanishes.ts': 'export const shortLived = 1;\n',
      'src/binary.ts': 'export const text = 1;\n',
    });
    const reading = terminal.start(['read', '--json', '--repo', root]);
    await reading.until(() => terminal.isLocked);
    writeFileSync(path.join(root, 'src/grows.ts'), 'export function grownUp() {}\n'.repeat(5));
    rmSync(path.join(root, 'src/vanishes.ts'));
    writeFileSync(path.join(root, 'src/binary.ts'), Uint8Array.of(0, 1, 2, 3, 0));
    const written = `${root}-README.md`;
    for (let edits = 0; reading.isRunning; edits++) {
      // In one step, as editors save: a file that is being written anew is empty for a moment, and so not to be read.
      writeFileSync(written, `# Moving\n\n${'more '.repeat(edits + 1)}\n`);
      renameSync(written, path.join(root, 'README.md'));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { stdout, status } = await reading.ended;
    expect(status).toBe(0);
    const { coverage } = parseReport(stdout);
    expect(coverage.changed).toContainEqual({ path: 'README.md', change: 'modified' });
    expect(coverage.skipped).toMatchObject([
      { path: 'src/binary.ts', reason: 'binary' },
      { path: 'src/vanishes.ts', reason: 'vanished' },
    ]);
    const asked = await terminal.ask(root, 'Where is `grownUp` defined?');
    expectAnswer(asked, 'src/grows.ts:1');
    expect(asked.stdout).toMatch(/changed since/);
    expect(await read(root, '--update')).toMatchObject({ changed: [] });
  });
});
