import { LSPErrorCodes } from 'vscode-languageserver/node';
import { describe, expect, it } from 'vitest';
import { apples, longSource, whereIsCountApples } from '../faults/terminal.js';
import { Desk, phasesOf, refusalOf, streamedText, uriOf } from './editor.js';

describe('asking through the sidecar', () => {
  it('opens the memory, streams the answer and gives links that were checked', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const asked = editor.ask(root, whereIsCountApples);
    const answer = await asked.result;
    expect(answer.citations[0]).toMatchObject({ path: 'apple.ts', line: 1, endLine: 4, name: 'countApples' });
    expect(answer.coverage).toMatchObject({ filesRead: 2, skipped: 0, changed: 0 });
    expect(answer.recalled[0]).toMatchObject({ path: 'apple.ts', reason: 'name' });
    expect(answer.text).not.toBe('');
    expect(streamedText(asked.partials).trimEnd()).toBe(answer.text);
    expect(phasesOf(asked.partials)).toEqual(['opening', 'answering']);
    const status = await editor.until(root, ({ answering, memory }) => !answering && memory !== undefined);
    expect(status).toMatchObject({ state: 'ready', snapshot: true, memory: { filesRead: 2 } });
  });

  it('answers at once when the memory is open, and leaves it as it was', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const first = await editor.ask(root, whereIsCountApples).result;
    const again = editor.ask(root, whereIsCountApples);
    expect((await again.result).text).toBe(first.text);
    expect(phasesOf(again.partials)).toEqual(['answering']);
  });

  it('restores the snapshot in the next session instead of reading', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const before = await desk.open([root]);
    const first = await before.ask(root, whereIsCountApples).result;
    expect(await before.close()).toBe(0);
    const after = await desk.open([root]);
    expect(await after.until(root, ({ snapshot }) => snapshot)).toMatchObject({ state: 'idle' });
    const again = await after.ask(root, whereIsCountApples).result;
    expect(again.memory.source).toBe('snapshot');
    expect(again.text).toBe(first.text);
  });

  it('ends an answer when the client cancels it, and answers the next question', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    await editor.request('locret/read', { root: uriOf(root) });
    const asked = editor.ask(root, 'Tell me everything about this repository, at length, please.');
    asked.cancel();
    expect(await refusalOf(asked.result)).toMatchObject({
      code: LSPErrorCodes.RequestCancelled,
      data: { code: 'cancelled' },
    });
    expect((await editor.ask(root, whereIsCountApples).result).citations[0]).toMatchObject({ path: 'apple.ts' });
  });

  it('takes a question back that waits for reading, and goes on reading', async () => {
    const desk = new Desk();
    const root = desk.repository('long', { ...apples, 'long.ts': longSource(600) });
    const editor = await desk.open([root]);
    const asked = editor.ask(root, whereIsCountApples);
    await editor.until(root, 'reading');
    asked.cancel();
    expect(await refusalOf(asked.result)).toMatchObject({ data: { code: 'cancelled' } });
    expect(await editor.until(root, 'ready')).toMatchObject({ memory: { filesRead: 3 } });
  });

  it('answers several questions one after the other', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const questions = [whereIsCountApples, 'What does `countApples` do?', whereIsCountApples];
    const answers = await Promise.all(questions.map((question) => editor.ask(root, question).result));
    expect(answers.map(({ citations }) => citations[0]?.path)).toEqual(['apple.ts', 'apple.ts', 'apple.ts']);
    expect(answers[2]?.text).toBe(answers[0]?.text);
  });

  it('reads the repository with the question first when it is asked deep, and has the memory back afterwards', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const before = await editor.ask(root, whereIsCountApples).result;
    const deep = editor.ask(root, whereIsCountApples, { mode: 'deep' });
    expect(await deep.result).toMatchObject({ mode: 'deep', coverage: { filesRead: 2 } });
    expect(phasesOf(deep.partials)).toEqual(['reading', 'answering']);
    expect(deep.partials.some(({ kind }) => kind === 'progress')).toBe(true);
    const after = await editor.ask(root, whereIsCountApples).result;
    expect(after.text).toBe(before.text);
    expect(after.memory.source).toBe('snapshot');
  });

  it('keeps a memory for each folder, in one model', async () => {
    const desk = new Desk();
    const first = desk.repository('apples', apples);
    const second = desk.repository('pears', {
      'pear.ts': '/** Weighs pears. */\nexport function weighPears(n: number): number {\n  return n * 2;\n}\n',
    });
    const editor = await desk.open([first, second]);
    expect((await editor.ask(first, whereIsCountApples).result).citations[0]).toMatchObject({ path: 'apple.ts' });
    const pears = await editor.ask(second, 'Where is `weighPears` defined?').result;
    expect(pears.citations[0]).toMatchObject({ path: 'pear.ts', name: 'weighPears' });
    const again = await editor.ask(first, whereIsCountApples).result;
    expect(again.citations[0]).toMatchObject({ path: 'apple.ts' });
    expect(again.memory.source).toBe('snapshot');
    await expect.poll(() => editor.status.roots.map(({ state }) => state)).toEqual(['ready', 'ready']);
  });

  it('answers about lines as they stand in the editor, though they are not saved', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const selection = {
      path: 'apple.ts',
      line: 2,
      endLine: 3,
      text: 'export function countPears(n: number): number {\n',
    };
    const answer = await editor.ask(root, 'What does this take?', { selection }).result;
    expect(answer.citations[0]).toMatchObject({ path: 'apple.ts', line: 2 });
    expect(answer.recalled.at(-1)).toMatchObject({ path: 'apple.ts', line: 2, reason: 'selection' });
    const outside = { ...selection, path: '../elsewhere.ts' };
    const asked = await editor.ask(root, 'What does this take?', { selection: outside }).result;
    expect(asked.citations.filter((citation) => citation.path !== 'apple.ts')).toEqual([]);
  });

  it('refuses an empty question and a folder that is not open, with what to do', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    expect(await refusalOf(editor.ask(root, '  ').result)).toEqual({
      code: LSPErrorCodes.RequestFailed,
      message: 'The question is empty.',
      data: { code: 'invalid-argument', remedy: 'Ask something, in words or by a name.' },
    });
    expect(await refusalOf(editor.ask('/elsewhere', whereIsCountApples).result)).toMatchObject({
      message: 'file:///elsewhere is not a folder of this workspace; there are ' + uriOf(root) + '.',
      data: { code: 'invalid-argument' },
    });
    expect(editor.root(root)?.state).toBe('idle');
  });

  it('says why a repository cannot be read, and reads it once there is something to read', async () => {
    const desk = new Desk();
    const root = desk.repository('empty', { 'picture.png': '\u0000\u0001' });
    const editor = await desk.open([root]);
    expect(await refusalOf(editor.ask(root, whereIsCountApples).result)).toMatchObject({
      data: { code: 'repository-empty' },
    });
    expect(await editor.until(root, 'failed')).toMatchObject({ error: { code: 'repository-empty' } });
    desk.write(root, 'apple.ts', apples['apple.ts']);
    expect((await editor.ask(root, whereIsCountApples).result).citations[0]).toMatchObject({ path: 'apple.ts' });
    expect((await editor.until(root, 'ready')).error).toBeUndefined();
  });
});
