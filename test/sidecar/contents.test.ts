import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CodeAction } from 'vscode-languageserver/node';
import { apples, longSource, whereIsCountApples } from '../faults/terminal.js';
import { Desk, type Editor, refusalOf, uriOf } from './editor.js';

const appleSource = apples['apple.ts'];

async function codeActions(
  editor: Editor,
  uri: string,
  range: { readonly from: [line: number, character: number]; readonly to: [line: number, character: number] },
  context: { readonly triggerKind?: number; readonly only?: string[] } = { triggerKind: 1 },
): Promise<CodeAction[]> {
  const [line, character] = range.from;
  const [endLine, endCharacter] = range.to;
  return editor.connection.sendRequest('textDocument/codeAction', {
    textDocument: { uri },
    range: { start: { line, character }, end: { line: endLine, character: endCharacter } },
    context: { diagnostics: [], ...context },
  });
}

async function report(editor: Editor, name: string, root: string): Promise<string> {
  const uri = `locret-report:/${name}.md?${encodeURIComponent(uriOf(root))}`;
  const { text } = await editor.connection.sendRequest<{ text: string }>('workspace/textDocumentContent', { uri });
  return text;
}

describe('what the sidecar tells of a memory', () => {
  it('tells nothing before something was read', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    for (const method of ['locret/coverage', 'locret/retention'] as const) {
      const refusal = await refusalOf(editor.request(method, { root: uriOf(root) }));
      expect(refusal).toMatchObject({ data: { code: 'not-read', remedy: 'Read the repository first.' } });
    }
  });

  it('lists what was read, skipped and changed since', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', { ...apples, 'package-lock.json': '{}\n' });
    const editor = await desk.open([root], { autoUpdateSeconds: 0 });
    await editor.ask(root, whereIsCountApples).result;
    desk.write(root, 'apple.ts', `${appleSource}// more\n`);
    const answer = await editor.ask(root, whereIsCountApples).result;
    expect(answer.coverage).toMatchObject({ filesRead: 2, skipped: 1, changed: 1 });
    const coverage = await editor.request('locret/coverage', { root: uriOf(root) });
    expect(coverage.read.map((file) => file.path)).toEqual(['README.md', 'apple.ts']);
    expect(coverage.skipped).toMatchObject([{ path: 'package-lock.json', reason: 'lock-file' }]);
    expect(coverage.changed).toEqual([{ path: 'apple.ts', change: 'modified' }]);
  });

  it('tells what is kept of each file and line, also while another memory is in the engine', async () => {
    const desk = new Desk();
    const root = desk.repository('long', { ...apples, 'long.ts': longSource(200) });
    const other = desk.repository('apples', apples);
    const editor = await desk.open([root, other]);
    await editor.request('locret/read', { root: uriOf(root) });
    const retention = await editor.request('locret/retention', { root: uriOf(root) });
    expect(retention.files.map((file) => file.path)).toEqual(['README.md', 'apple.ts', 'long.ts']);
    expect(retention.kept).toBeGreaterThan(0);
    expect(retention.kept).toBeLessThan(0.2);
    const lines = await editor.request('locret/lineRetention', { root: uriOf(root), path: 'long.ts' });
    expect(lines.kept).toHaveLength(longSource(200).split('\n').length - 1);
    expect(Math.max(...lines.kept)).toBeGreaterThan(0);
    expect(Math.max(...lines.kept)).toBeLessThanOrEqual(1);
    expect(lines.kept.every((share) => share === -1 || share >= 0)).toBe(true);
    expect(lines.hash).toMatch(/^[0-9a-f]{64}$/);
    await editor.ask(other, whereIsCountApples).result;
    expect(await editor.request('locret/retention', { root: uriOf(root) })).toEqual(retention);
    expect(await editor.request('locret/lineRetention', { root: uriOf(root), path: 'long.ts' })).toEqual(lines);
    const refusal = await refusalOf(editor.request('locret/lineRetention', { root: uriOf(root), path: '../secret' }));
    expect(refusal).toMatchObject({ data: { code: 'invalid-argument' } });
  });

  it('finds the definition around a line, in the text as it is open', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const uri = uriOf(path.join(root, 'apple.ts'));
    const definitionAt = (line: number) => editor.request('locret/definitionAt', { uri, line });
    expect(await definitionAt(3)).toMatchObject({ name: 'countApples', kind: 'function', line: 1, endLine: 4 });
    const textDocument = { uri, languageId: 'typescript', version: 1, text: `\n\n${appleSource}` };
    await editor.connection.sendNotification('textDocument/didOpen', { textDocument });
    expect(await definitionAt(5)).toMatchObject({ line: 3, endLine: 6 });
    expect(await definitionAt(1)).toBeNull();
    await editor.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: 2 },
      contentChanges: [{ text: 'export function other() {}\n' }],
    });
    expect(await definitionAt(1)).toMatchObject({ name: 'other' });
    await editor.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
    expect(await definitionAt(1)).toMatchObject({ name: 'countApples' });
  });

  it('offers to ask about a selection and to explain the definition around it, and nothing unasked on every line', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const uri = uriOf(path.join(root, 'apple.ts'));
    const selected = await codeActions(editor, uri, { from: [1, 0], to: [3, 0] });
    expect(selected.map(({ title }) => title)).toEqual([
      'Ask Locret about the selection',
      'Explain countApples with Locret',
    ]);
    expect(selected[0]?.command).toMatchObject({
      command: 'locret.askSelection',
      arguments: [{ uri, line: 2, endLine: 3 }],
    });
    const asked = await codeActions(editor, uri, { from: [2, 3], to: [2, 3] });
    expect(asked.map(({ title }) => title)).toEqual([
      'Ask Locret about countApples',
      'Explain countApples with Locret',
    ]);
    const unasked = await codeActions(editor, uri, { from: [2, 3], to: [2, 3] }, { triggerKind: 2 });
    expect(unasked).toEqual([]);
    const fixes = await codeActions(editor, uri, { from: [1, 0], to: [3, 0] }, { only: ['quickfix'] });
    expect(fixes).toEqual([]);
  });

  it('writes reports of the plan, the coverage and the models', async () => {
    const desk = new Desk();
    const strange = 'a|b*c_[x](y).md';
    const root = desk.repository('apples', { ...apples, [strange]: 'text\n' });
    const editor = await desk.open([root]);
    expect(await report(editor, 'plan', root)).toMatch(/# Memory plan of apples[^]*\| budget \| 64 \|/);
    await editor.ask(root, whereIsCountApples).result;
    const coverage = await report(editor, 'coverage', root);
    expect(coverage).toContain('| apple.ts |');
    expect(coverage).toContain(String.raw`| a\|b\*c\_\[x\]\(y\).md |`);
    expect(await report(editor, 'models', root)).toContain('| nano | qwen3 |');
    await expect(report(editor, 'secrets', root)).rejects.toThrow('There is no report');
  });

  it('lists the models that can be used and says why one cannot', async () => {
    const desk = new Desk();
    desk.repository('data/locret/models/broken', { 'config.json': '{}' });
    const editor = await desk.open([desk.repository('apples', apples)]);
    const { models, folders } = await editor.request('locret/models', {});
    expect(models.find(({ name }) => name === 'nano')).toMatchObject({ family: 'qwen3', heads: true });
    const broken = models.find(({ name }) => name === 'broken');
    expect(broken !== undefined && 'problem' in broken ? broken.problem : '').toContain('config.json');
    expect(folders).toContain(path.join(desk.folder, 'data', 'locret', 'models'));
  });
});
