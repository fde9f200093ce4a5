import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { apples, longSource, type RunningProgram, Terminal, whereIsCountApples } from './terminal.js';

const terminal = new Terminal();
const root = terminal.repository('apples', apples);
const added = path.join(root, 'added.ts');
const link = '\napple.ts:1  countApples\n';

beforeEach(() => {
  rmSync(added, { force: true });
});

afterAll(() => {
  terminal.remove();
});

function startChat(...argv: string[]): RunningProgram {
  return terminal.start(['chat', '--repo', root, ...argv], { keepInputOpen: true });
}

/** Types a line and waits until something new is printed that matches. */
async function type(chat: RunningProgram, line: string, printed: RegExp): Promise<void> {
  const before = chat.stdout.length;
  chat.type(line);
  await chat.until(() => printed.test(chat.stdout.slice(before)));
  expect(chat.stdout.slice(before)).toMatch(printed);
}

describe('locret chat', () => {
  it('answers lines that are piped in one after the other, and obeys commands between them', async () => {
    const input = [whereIsCountApples, '/help', '/clear', '/bogus', '', '/update', whereIsCountApples, '/exit', 'no'];
    const chat = terminal.start(['chat', '--repo', root], { input: input.join('\n') });
    const { status, stdout } = await chat.ended;
    expect(status).toBe(0);
    expect(stdout.split(link)).toHaveLength(3);
    expect(stdout).toMatch(/\/deep QUESTION[\s\S]*forgotten[\s\S]*There is no \/bogus[\s\S]*Nothing has changed/);
    expect(stdout).not.toContain('> ');
  });

  it('goes on after a question that is too long, and after one that is empty', async () => {
    const input = ['word '.repeat(3000), '/deep', whereIsCountApples].join('\n');
    const { status, stdout, stderr } = await terminal.start(['chat', '--repo', root], { input }).ended;
    expect(status).toBe(0);
    expect(stderr).toMatch(/The question takes \d+ tokens[\s\S]*The question is empty/);
    expect(stdout).toContain(link);
  });

  it('goes on after an answer that Ctrl-C ended, and ends by Ctrl-C otherwise', async () => {
    const chat = startChat('--temperature', '5', '--tokens', '900');
    chat.type('Tell everything');
    await chat.until(() => chat.stdout !== '');
    chat.kill('SIGINT');
    await chat.until(() => chat.stderr.includes('was cancelled'));
    await type(chat, whereIsCountApples, /apple\.ts:1 {2}countApples\n[\s\S]*first token/);
    await delay(100);
    chat.kill('SIGINT');
    expect(await chat.ended).toMatchObject({ status: 0, signal: null });
  });

  it('folds in what changed', async () => {
    const chat = startChat();
    await type(chat, whereIsCountApples, /first token/);
    writeFileSync(added, 'export function countPears() {}\n');
    await type(chat, '/update', /Updated: 3 files/);
    await type(chat, 'Where is `countPears` defined?', /added\.ts:1 {2}countPears[\s\S]*first token/);
    chat.type('/exit');
    expect(await chat.ended).toMatchObject({ status: 0 });
  });

  it('keeps its memory when Ctrl-C ends an update', async () => {
    const chat = startChat();
    await type(chat, whereIsCountApples, /first token/);
    writeFileSync(added, longSource(400));
    chat.type('/update');
    await chat.until(() => terminal.isLocked);
    await delay(200);
    chat.kill('SIGINT');
    await chat.until(() => chat.stderr.includes('was cancelled'));
    expect(terminal.leftovers()).toEqual([]);
    await type(chat, whereIsCountApples, /apple\.ts:1 {2}countApples\n[\s\S]*1 file changed since[\s\S]*first token/);
    chat.type('/exit');
    expect(await chat.ended).toMatchObject({ status: 0 });
  });

  it('keeps its memory when Ctrl-C ends a deep question', async () => {
    const chat = startChat();
    await type(chat, whereIsCountApples, /first token/);
    writeFileSync(added, longSource(400));
    chat.type('/deep What is read first?');
    await delay(500);
    chat.kill('SIGINT');
    await chat.until(() => chat.stderr.includes('was cancelled'));
    await type(chat, whereIsCountApples, /apple\.ts:1 {2}countApples\n[\s\S]*first token/);
    chat.type('/exit');
    expect(await chat.ended).toMatchObject({ status: 0 });
  });
});
