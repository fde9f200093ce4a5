import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apples, longSource, whereIsCountApples } from '../faults/terminal.js';
import { Desk, refusalOf, uriOf } from './editor.js';

/** Names that no other file has. */
function source(name: string): string {
  return `/** Does ${name}. */\nexport function ${name}(value: number): number {\n  return value;\n}\n`;
}

/** A repository of some files, so that one changed file is a small part of it. */
function someFiles(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`src/file${i}.ts`, source(`function${i}`)]));
}

describe('reading through the sidecar', () => {
  it('tells how far it is, as work-done progress and in the status', async () => {
    const desk = new Desk();
    const root = desk.repository('long', { ...apples, 'long.ts': longSource(600) });
    const editor = await desk.open([root]);
    const reading = editor.send('locret/read', { root: uriOf(root) });
    const status = await editor.until(root, ({ progress }) => (progress?.tokensRead ?? 0) > 0);
    expect(status).toMatchObject({ state: 'reading', progress: { files: 3 } });
    expect(await reading.result).toMatchObject({
      state: 'ready',
      snapshot: true,
      memory: { filesRead: 3, changed: 0 },
    });
    expect(reading.workDone[0]).toMatchObject({ kind: 'begin', title: 'Reading long', cancellable: true });
    expect(reading.workDone.at(-1)).toMatchObject({ kind: 'end' });
    const shares = reading.workDone.flatMap((step) => (step.kind === 'report' ? [step.percentage ?? 0] : []));
    expect(shares.length).toBeGreaterThan(1);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  });

  it('pauses when the client cancels, and goes on where it was, in the next session too', async () => {
    const desk = new Desk();
    const root = desk.repository('long', { ...apples, 'long.ts': longSource(900) });
    const editor = await desk.open([root]);
    const reading = editor.send('locret/read', { root: uriOf(root) });
    await editor.until(root, ({ progress }) => (progress?.tokensRead ?? 0) > 4_000);
    reading.cancel();
    expect(await refusalOf(reading.result)).toMatchObject({ data: { code: 'cancelled' } });
    const paused = await editor.until(root, 'paused');
    const tokensRead = paused.progress?.tokensRead ?? 0;
    expect(tokensRead).toBeGreaterThanOrEqual(4_000);
    expect(await editor.close()).toBe(0);

    const next = await desk.open([root]);
    expect((await next.until(root, 'paused')).progress?.tokensRead).toBe(tokensRead);
    const rest = next.send('locret/read', { root: uriOf(root) });
    const first = await next.until(root, ({ state, progress }) => state === 'reading' && progress !== undefined);
    expect(first.progress?.tokensRead).toBeGreaterThanOrEqual(tokensRead);
    expect(await rest.result).toMatchObject({ state: 'ready', memory: { filesRead: 3 } });
  });

  it('keeps what was read when the editor closes in the middle', async () => {
    const desk = new Desk();
    const root = desk.repository('long', { ...apples, 'long.ts': longSource(900) });
    const editor = await desk.open([root]);
    editor.send('locret/read', { root: uriOf(root) });
    await editor.until(root, ({ progress }) => (progress?.tokensRead ?? 0) > 4_000);
    expect(await editor.close()).toBe(0);
    const next = await desk.open([root]);
    expect((await next.until(root, 'paused')).progress?.tokensRead).toBeGreaterThanOrEqual(4_000);
  });

  it('drops what was read when that is asked for, and reads from the beginning next time', async () => {
    const desk = new Desk();
    const root = desk.repository('long', { ...apples, 'long.ts': longSource(900) });
    const editor = await desk.open([root]);
    const reading = editor.send('locret/read', { root: uriOf(root) });
    await editor.until(root, ({ progress }) => (progress?.tokensRead ?? 0) > 6_000);
    expect(await editor.request('locret/stopReading', { root: uriOf(root), keep: false })).toMatchObject({
      state: 'idle',
    });
    expect(await refusalOf(reading.result)).toMatchObject({ data: { code: 'cancelled' } });
    await editor.until(root, 'idle');
    const again = editor.send('locret/read', { root: uriOf(root) });
    const first = await editor.until(root, ({ state, progress }) => state === 'reading' && progress !== undefined);
    expect(first.progress?.tokensRead).toBeLessThan(6_000);
    expect(await again.result).toMatchObject({ state: 'ready' });
  });

  it('notices changed files, folds them in after a pause, and knows the new text', async () => {
    const desk = new Desk();
    const root = desk.repository('files', someFiles(12));
    const editor = await desk.open([root], { autoUpdateSeconds: 1 });
    await editor.request('locret/read', { root: uriOf(root) });
    expect(editor.registered).toContain('workspace/didChangeWatchedFiles');
    desk.write(root, 'src/file3.ts', source('renamedFunction'));
    await editor.filesChanged(root, 'src/file3.ts');
    await editor.until(root, ({ memory }) => memory?.changed === 1);
    await editor.until(root, ({ state, memory }) => state === 'ready' && memory?.source === 'update');
    const answer = await editor.ask(root, 'Where is `renamedFunction` defined?').result;
    expect(answer.citations[0]).toMatchObject({ path: 'src/file3.ts', name: 'renamedFunction' });
    expect(answer.coverage.changed).toBe(0);
  });

  it('tells every folder that a changed file lies in: also the one around a folder that is open itself', async () => {
    const desk = new Desk();
    const outer = desk.repository('outer', { ...someFiles(6), 'inner/apple.ts': apples['apple.ts'] });
    const inner = `${outer}/inner`;
    const editor = await desk.open([outer, inner], { autoUpdateSeconds: 0 });
    await editor.request('locret/read', { root: uriOf(inner) });
    await editor.request('locret/read', { root: uriOf(outer) });
    desk.write(inner, 'apple.ts', source('countPears'));
    await editor.filesChanged(inner, 'apple.ts');
    await editor.until(inner, ({ memory }) => memory?.changed === 1);
    await editor.until(outer, ({ memory }) => memory?.changed === 1);
  });

  it('notices files that came, went, or are no longer wanted, though only their paths are told', async () => {
    const desk = new Desk();
    const root = desk.repository('files', someFiles(6));
    const editor = await desk.open([root], { autoUpdateSeconds: 0 });
    await editor.request('locret/read', { root: uriOf(root) });
    const changedFiles = async (count: number): Promise<string[]> => {
      await editor.until(root, ({ memory }) => memory?.changed === count);
      const { changed } = await editor.request('locret/coverage', { root: uriOf(root) });
      return changed.map(({ path, change }) => `${change} ${path}`);
    };
    desk.write(root, 'more/new.ts', source('newFunction'));
    await editor.filesChanged(root, 'more');
    expect(await changedFiles(1)).toEqual(['added more/new.ts']);
    rmSync(`${root}/src/file1.ts`);
    await editor.filesChanged(root, 'src/file1.ts');
    expect(await changedFiles(2)).toEqual(['added more/new.ts', 'removed src/file1.ts']);
    desk.write(root, 'src/.gitignore', 'file2.ts\n');
    await editor.filesChanged(root, 'src/.gitignore');
    expect(await changedFiles(4)).toContain('removed src/file2.ts');
    expect(await editor.request('locret/update', { root: uriOf(root) })).toMatchObject({
      memory: { filesRead: 6, changed: 0 },
    });
  });

  it('only tells of changed files where folding in is switched off, and folds them in on request', async () => {
    const desk = new Desk();
    const root = desk.repository('files', someFiles(12));
    const editor = await desk.open([root], { autoUpdateSeconds: 0 });
    await editor.request('locret/read', { root: uriOf(root) });
    desk.write(root, 'src/new.ts', source('newFunction'));
    await editor.filesChanged(root, 'src/new.ts');
    await editor.until(root, ({ memory }) => memory?.changed === 1);
    expect(await editor.request('locret/update', { root: uriOf(root) })).toMatchObject({
      state: 'ready',
      memory: { changed: 0, filesRead: 13, source: 'update' },
    });
  });

  it('reads anew in the background when most has changed, and answers meanwhile from the memory before', async () => {
    const desk = new Desk();
    const long = { 'a.ts': longSource(300), 'b.ts': longSource(300), ...apples };
    const root = desk.repository('files', long);
    const editor = await desk.open([root], { autoUpdateSeconds: 1 });
    await editor.request('locret/read', { root: uriOf(root) });
    for (const file of ['a.ts', 'b.ts']) desk.write(root, file, `${longSource(300)}\n// changed\n`);
    await editor.filesChanged(root, 'a.ts', 'b.ts');
    await editor.until(root, 'reading');
    const answer = await editor.ask(root, whereIsCountApples).result;
    expect(answer.coverage.changed).toBe(2);
    expect(answer.citations[0]).toMatchObject({ path: 'apple.ts' });
    const done = await editor.until(root, ({ state, memory }) => state === 'ready' && memory?.changed === 0);
    expect(done.memory?.source).toBe('read');
  });

  it('plans the memory without loading anything', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const plan = await editor.request('locret/plan', { root: uriOf(root) });
    expect(plan.model).toBe('nano');
    expect(plan.bytes.peak).toBeGreaterThan(plan.bytes.cache);
    expect(plan.rows.map(([name]) => name)).toContain('budget');
    expect(editor.status.engine).toBeUndefined();
    expect(editor.root(root)?.state).toBe('idle');
  });

  it('plans a budget that is divided as the client asks for, and what stays before all else', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root], { allocation: 'pyramid', structure: 'headers' });
    const { rows } = await editor.request('locret/plan', { root: uriOf(root) });
    expect(rows.find(([name]) => name === 'allocation')?.[1]).toBe('pyramid');
    expect(rows.find(([name]) => name === 'structure')?.[1]).toBe('headers');
  });

  it('frees the model on request and loads it again for the next question', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    await editor.ask(root, whereIsCountApples).result;
    const unloaded = await editor.request('locret/unload', {});
    expect(unloaded.engine).toBeUndefined();
    expect(unloaded.roots[0]).toMatchObject({ state: 'idle', snapshot: true, memory: { filesRead: 2 } });
    expect((await editor.ask(root, whereIsCountApples).result).memory.source).toBe('snapshot');
    await editor.until(root, 'ready');
    expect(editor.status.engine).toMatchObject({ model: 'nano', backend: 'cpu', policy: 'locret' });
  });

  it('unloads the model by itself when nobody uses it', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root], { idleUnloadMinutes: 0.01 });
    await editor.ask(root, whereIsCountApples).result;
    await editor.until(root, 'idle');
    expect(editor.log.join('\n')).toContain('is unloaded');
    expect((await editor.ask(root, whereIsCountApples).result).citations[0]).toMatchObject({ path: 'apple.ts' });
  });
});
