import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apples, expectAnswer, longSource, Terminal, whereIsCountApples } from './terminal.js';

const terminal = new Terminal();
const root = terminal.repository('apples', apples);
let snapshot = '';
let intact = Buffer.alloc(0);

beforeAll(async () => {
  expectAnswer(await terminal.ask(root, whereIsCountApples), 'apple.ts:1');
  [snapshot = ''] = terminal.snapshots();
  intact = readFileSync(snapshot);
});

afterAll(() => {
  terminal.remove();
});

/** A snapshot with another byte at a place. */
function changed(at: number): Uint8Array {
  const bytes = Uint8Array.from(intact);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return bytes;
}

/** The answer comes by reading again, the snapshot is named, and the next start has a good one. */
async function expectReadAgain(notice: RegExp): Promise<void> {
  const ended = await terminal.ask(root, whereIsCountApples);
  expectAnswer(ended, 'apple.ts:1');
  expect(ended.stdout).toContain('read in');
  expect(ended.stderr).toMatch(notice);
  expect(ended.stderr).toContain(snapshot);
  expect(ended.stderr.match(/is read again/g)).toHaveLength(1);
  const next = await terminal.ask(root, whereIsCountApples);
  expectAnswer(next, 'apple.ts:1');
  expect(next.stdout).toContain('restored in');
  expect(next.stderr).toBe('');
}

describe('a snapshot that cannot be used', () => {
  it.each([
    ['is empty', () => new Uint8Array(), /\.memory/],
    ['is cut in the middle', () => intact.subarray(0, intact.length >> 1), /\.memory/],
    ['lacks its last byte', () => intact.subarray(0, -1), /\.memory/],
    ['is something else', () => Buffer.from('not a snapshot\n'.repeat(100)), /\.memory/],
    ['claims a header of terabytes', () => Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]), intact]), /\.memory/],
    ['has a damaged header', () => changed(40), /\.memory/],
    ['has one other byte in its numbers', () => changed(intact.length >> 1), /checksum|not finite/],
    ['has another checksum', () => changed(intact.length - 1), /checksum/],
    [
      'is of an older version',
      () => Buffer.from(intact.toString('latin1').replace('locret memory 2', 'locret memory 1'), 'latin1'),
      /has the form "locret memory 1", this program writes "locret memory 2"/,
    ],
  ])('because it %s is named, and the repository is read again', async (_, content, notice) => {
    writeFileSync(snapshot, content());
    await expectReadAgain(notice);
  });

  it('because it is of another repository is named, and the repository is read again', async () => {
    const other = terminal.repository('pears', { 'pear.ts': 'export function countPears() {}\n' });
    expectAnswer(await terminal.ask(other, 'Where is `countPears` defined?'), 'pear.ts:1');
    const foreign = terminal.snapshots().find((file) => file !== snapshot) ?? '';
    copyFileSync(foreign, snapshot);
    await expectReadAgain(/another repository|other settings/);
  });

  it('because a folder is in its place does not keep the answer from coming', async () => {
    rmSync(snapshot);
    mkdirSync(snapshot);
    const ended = await terminal.ask(root, whereIsCountApples);
    expectAnswer(ended, 'apple.ts:1');
    expect(ended.stderr).toContain(snapshot);
    expect(ended.stderr).not.toMatch(/unexpected|\n\s+at /);
    rmSync(snapshot, { recursive: true });
    writeFileSync(snapshot, intact);
  });
});

describe('two processes on one repository', () => {
  it('both answer; one reads and the other waits for it', async () => {
    const long = terminal.repository('long', { ...apples, 'long.ts': longSource(50) });
    const asking = [1, 2].map(() => terminal.start(['ask', '--json', '--repo', long, whereIsCountApples]));
    const ended = await Promise.all(asking.map((running) => running.ended));
    for (const { status } of ended) expect(status).toBe(0);
    const parse: (text: string) => { memory: { source: string }; citations: { path: string }[] } = JSON.parse;
    const answers = ended.map(({ stdout }) => parse(stdout));
    expect(answers.map(({ memory }) => memory.source).sort()).toEqual(['read', 'snapshot']);
    for (const { citations } of answers) expect(citations[0]).toMatchObject({ path: 'apple.ts' });
    const notices = ended.map(({ stderr }) => stderr).join('');
    expect(notices).toMatch(/Process \d+ is reading this repository; waiting for it\./);
    expect(terminal.leftovers()).toEqual([]);
  });
});
