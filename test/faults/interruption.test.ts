import { mkdirSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apples,
  type Ended,
  expectAnswer,
  expectFailure,
  longSource,
  Terminal,
  whereIsCountApples,
} from './terminal.js';

const terminal = new Terminal();
/** A repository with a snapshot, whose reading takes a while. */
const root = terminal.repository('long', { ...apples, 'long.ts': longSource(400) });
const askFresh = ['ask', '--repo', root, '--fresh', whereIsCountApples];

beforeAll(async () => {
  expectAnswer(await terminal.ask(root, whereIsCountApples), 'apple.ts:1');
});

afterAll(() => {
  terminal.remove();
});

/** Nothing is lost: the snapshot from before answers, and nothing half-written is left. */
async function expectEarlierSnapshot(): Promise<void> {
  expect(terminal.leftovers()).toEqual([]);
  expect(terminal.snapshots()).toHaveLength(1);
  const ended = await terminal.ask(root, whereIsCountApples);
  expectAnswer(ended, 'apple.ts:1');
  expect(ended.stdout).toContain('restored in');
  expect(ended.stderr).toBe('');
}

describe('Ctrl-C', () => {
  it.each([30, 150, 250, 350, 500, 700, 1000])('%d ms after the start loses nothing', async (milliseconds) => {
    const asking = terminal.start(askFresh);
    await delay(milliseconds);
    asking.kill('SIGINT');
    const ended = await asking.ended;
    // Before the program listens, the system ends it.
    expect(ended.signal ?? ended.status).toBe(ended.signal === null ? 130 : 'SIGINT');
    if (ended.signal === null) expectFailure(ended, /^\nStopping … \(.*\)\n\n[A-Z][\w ]* was cancelled\.\n$/, 130);
    await expectEarlierSnapshot();
  });

  it('while reading says so and loses nothing', async () => {
    const saysSo = /\nReading( [a-z ]+)? was cancelled\.\n/;
    const interrupted = async (): Promise<Ended> => {
      const asking = terminal.start(askFresh);
      await asking.until(() => terminal.isLocked);
      await delay(100);
      asking.kill('SIGINT');
      return asking.ended;
    };
    let ended = await interrupted();
    // On a busy machine the signal may come when the reading has ended: then it ends the answer, if anything.
    for (let attempts = 1; attempts < 5 && !saysSo.test(ended.stderr); attempts++) ended = await interrupted();
    expectFailure(ended, saysSo, 130);
    await expectEarlierSnapshot();
  });

  it('while reading for the first time keeps what was read, and the next start goes on there', async () => {
    const huge = terminal.repository('huge', { ...apples, 'long.ts': longSource(500) });
    const partial = /huge-.*\.partial-memory$/;
    // The first chunk comes some time after the lock; how long depends on the machine.
    for (let patience = 100; terminal.cached(partial).length === 0; patience *= 2) {
      const reading = terminal.start(['read', '--repo', huge]);
      await reading.until(() => terminal.isLocked);
      await delay(patience);
      reading.kill('SIGINT');
      expectFailure(await reading.ended, /\n[A-Z][a-z ]* was cancelled\.\n/, 130);
    }
    expect(terminal.leftovers()).toEqual([]);
    const ended = await terminal.ask(huge, whereIsCountApples);
    expectAnswer(ended, 'apple.ts:1');
    expect(ended.stderr).toMatch(/^Going on where reading was interrupted: \d of 3 files\.$/m);
    expect(terminal.cached(partial)).toEqual([]);
    for (const snapshot of terminal.snapshots().filter((file) => file.includes('huge-'))) rmSync(snapshot);
  });

  it('while changes are folded in loses nothing', async () => {
    const file = path.join(root, 'added.ts');
    writeFileSync(file, longSource(120));
    const reading = terminal.start(['read', '--update', '--repo', root]);
    await reading.until(() => terminal.isLocked);
    await delay(200);
    reading.kill('SIGINT');
    const ended = await reading.ended;
    rmSync(file);
    expectFailure(ended, / was cancelled\.\n/, 130);
    await expectEarlierSnapshot();
  });

  it('while answering ends the answer', async () => {
    const asking = terminal.start(['ask', '--repo', root, '--temperature', '5', '--tokens', '900', 'Tell everything']);
    await asking.until(() => asking.stdout !== '');
    asking.kill('SIGINT');
    const ended = await asking.ended;
    expect(ended).toMatchObject({ status: 130, signal: null });
    expect(ended.stderr).toMatch(/\n\S.* was cancelled\.\n$/);
    await expectEarlierSnapshot();
  });

  it('pressed twice ends the program at once, and the next start reads again', async () => {
    const asking = terminal.start(askFresh);
    await asking.until(() => terminal.isLocked);
    asking.kill('SIGINT');
    await asking.until(() => asking.stderr.includes('Stopping'));
    asking.kill('SIGINT');
    expect(await asking.ended).toMatchObject({ status: 130, signal: null });
    expectAnswer(await terminal.ask(root, whereIsCountApples, '--fresh'), 'apple.ts:1');
    await expectEarlierSnapshot();
  });

  it('while waiting for another process ends only the one that waits', async () => {
    const first = terminal.start(askFresh);
    await first.until(() => terminal.isLocked);
    const second = terminal.start(askFresh);
    await second.until(() => second.stderr.includes('waiting for it'));
    second.kill('SIGINT');
    expectFailure(await second.ended, /\nWaiting for another process was cancelled\.\n/, 130);
    first.kill('SIGINT');
    expect(await first.ended).toMatchObject({ status: 130 });
    await expectEarlierSnapshot();
  });
});

describe('a program that is killed', () => {
  it('while reading leaves a lock that the next start takes over', async () => {
    const asking = terminal.start(askFresh);
    await asking.until(() => terminal.isLocked);
    asking.kill('SIGKILL');
    expect(await asking.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(terminal.leftovers()).toHaveLength(1);
    const ended = await terminal.ask(root, whereIsCountApples, '--fresh');
    expectAnswer(ended, 'apple.ts:1');
    expect(ended.stderr).not.toContain('waiting');
    await expectEarlierSnapshot();
  });

  it('while writing a snapshot leaves nothing that the next start does not clear', async () => {
    const small = terminal.repository('small', apples);
    mkdirSync(terminal.memories, { recursive: true });
    const asking = terminal.start(['ask', '--repo', small, whereIsCountApples]);
    const watcher = watch(terminal.memories, (_, name) => {
      if (name?.startsWith('small') === true && name.endsWith('.partial')) asking.kill('SIGKILL');
    });
    const killed = await asking.ended;
    watcher.close();
    expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    expect(terminal.snapshots()).toHaveLength(1);
    expectAnswer(await terminal.ask(small, whereIsCountApples), 'apple.ts:1');
    expect(terminal.leftovers()).toEqual([]);
    expect(terminal.snapshots()).toHaveLength(2);
  });

  it('while packing weights leaves nothing that the next start does not clear', async () => {
    const cacheHome = path.join(terminal.folder, 'another cache');
    const weights = path.join(cacheHome, 'locret', 'weights');
    mkdirSync(weights, { recursive: true });
    const environment = { XDG_CACHE_HOME: cacheHome };
    const small = terminal.repository('small', apples);
    const argv = ['ask', '--repo', small, whereIsCountApples];
    const asking = terminal.start(argv, { environment });
    const watcher = watch(weights, { recursive: true }, (_, name) => {
      if (name?.endsWith('.partial') === true) asking.kill('SIGKILL');
    });
    const killed = await asking.ended;
    watcher.close();
    expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    expectAnswer(await terminal.start(argv, { environment }).ended, 'apple.ts:1');
    expect(readdirSync(weights, { recursive: true }).filter((name) => String(name).endsWith('.partial'))).toEqual([]);
  });
});
