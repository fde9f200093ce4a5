import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { apples, longSource, whereIsCountApples } from '../faults/terminal.js';
import { Desk, refusalOf, uriOf } from './editor.js';

const program = fileURLToPath(new URL('../../dist/sidecar.js', import.meta.url));

describe('the life of the sidecar', () => {
  it('says what it can do', async () => {
    const desk = new Desk();
    const editor = await desk.open([desk.repository('apples', apples)]);
    expect(editor.initialized).toMatchObject({
      serverInfo: { name: 'locret' },
      capabilities: { codeActionProvider: {}, workspace: { textDocumentContent: { schemes: ['locret-report'] } } },
    });
  });

  it('keeps what was read when the editor dies, and ends', async () => {
    const desk = new Desk();
    const root = desk.repository('long', { ...apples, 'long.ts': longSource(900) });
    const editor = await desk.open([root]);
    editor.send('locret/read', { root: uriOf(root) });
    await editor.until(root, ({ progress }) => (progress?.tokensRead ?? 0) > 2_000);
    // What the sidecar sees when the process at the other end of the channel is gone.
    editor.child.disconnect();
    expect(await editor.ended).toBe(1);
    const next = await desk.open([root]);
    expect((await next.until(root, 'paused')).progress?.tokensRead).toBeGreaterThan(2_000);
  });

  it('ends when the process it was started for is gone, though the channel is open', async () => {
    const editorProcess = fork(fileURLToPath(new URL('waiting.mjs', import.meta.url)));
    const sidecar = fork(program, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ended = new Promise((resolve) => sidecar.on('exit', resolve));
    const answered = new Promise((resolve) => sidecar.once('message', resolve));
    sidecar.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { processId: editorProcess.pid, rootUri: null, capabilities: {}, workspaceFolders: [] },
    });
    await answered;
    editorProcess.kill('SIGKILL');
    expect(await Promise.race([ended, delay(30_000, 'it still runs')])).toBe(1);
  });

  it('refuses settings that cannot be used and keeps those before', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    await editor.ask(root, whereIsCountApples).result;
    await editor.configure({ budget: -3 });
    await expect
      .poll(() => editor.messages)
      .toEqual(['The setting locret.budget is -3; expected a whole number of at least 1. Change it in the settings.']);
    expect(editor.root(root)?.state).toBe('ready');
  });

  it('lets the memory go when the settings lead to another one, and takes it up again when they lead back', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    await editor.ask(root, whereIsCountApples).result;
    await editor.configure({ budget: 128 });
    await editor.until(root, ({ state, snapshot }) => state === 'idle' && !snapshot);
    expect((await editor.ask(root, whereIsCountApples).result).memory.source).toBe('read');
    await editor.until(root, ({ memory }) => memory?.budget === 128);
    await editor.configure({});
    await editor.until(root, ({ state, snapshot }) => state === 'idle' && snapshot);
    expect((await editor.ask(root, whereIsCountApples).result).memory.source).toBe('snapshot');
  });

  it('keeps the model loaded when settings change that only concern answers', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    await editor.ask(root, whereIsCountApples).result;
    await editor.configure({ answerTokens: 2 });
    const answer = await editor.ask(root, whereIsCountApples).result;
    expect(answer.timings.answerTokens).toBe(2);
    expect(answer.notices).toContain('The answer was cut at its limit of tokens.');
    expect(answer.memory.source).toBe('read');
  });

  it('names the models there are when the chosen one is not there', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root], { model: 'no-such-model' });
    const refusal = await refusalOf(editor.ask(root, whereIsCountApples).result);
    expect(refusal).toMatchObject({ data: { code: 'model-not-found' } });
    expect(refusal.message).toContain('nano');
    expect((await editor.until(root, 'failed')).error?.code).toBe('model-not-found');
  });

  it('takes folders in and lets them go', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([]);
    expect(editor.status.roots).toEqual([]);
    const event = { added: [{ uri: uriOf(root), name: 'apples' }], removed: [] };
    await editor.connection.sendNotification('workspace/didChangeWorkspaceFolders', { event });
    await editor.until(root, 'idle');
    expect((await editor.ask(root, whereIsCountApples).result).citations[0]).toMatchObject({ path: 'apple.ts' });
    await editor.connection.sendNotification('workspace/didChangeWorkspaceFolders', {
      event: { added: [], removed: [{ uri: uriOf(root), name: 'apples' }] },
    });
    await expect.poll(() => editor.status.roots).toEqual([]);
  });
});
