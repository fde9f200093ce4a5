import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { fileInFolder, lineOf } from './open-folder.js';

const question = 'Where is `openLedger` defined?';

async function expectedPlace(): Promise<string> {
  const document = await vscode.workspace.openTextDocument(fileInFolder('src/ledger.ts'));
  return `src/ledger.ts:${lineOf(document, '/** Opens the ledger')}`;
}

suite('language model', () => {
  test('the tool answers with a checked place and says what it rests on', async () => {
    const tool = vscode.lm.tools.find(({ name }) => name === 'locret_askRepository');
    assert.ok(tool, 'The tool is not there.');
    const { content } = await vscode.lm.invokeTool(tool.name, { input: { question }, toolInvocationToken: undefined });
    const text = content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
    assert.match(text, new RegExp(await expectedPlace()));
    assert.match(text, /Files read: \d+/);
  });

  test('the tool says which folders there are when it is asked for another', async () => {
    const input = { question, folder: 'elsewhere' };
    const { content } = await vscode.lm.invokeTool('locret_askRepository', { input, toolInvocationToken: undefined });
    const [part] = content;
    assert.ok(part instanceof vscode.LanguageModelTextPart);
    assert.match(part.value, /orchard/);
  });

  test('the memory can be asked as a model', async () => {
    const [model] = await vscode.lm.selectChatModels({ vendor: 'locret' });
    assert.ok(model, 'The model is not there.');
    const response = await model.sendRequest([vscode.LanguageModelChatMessage.User(question)]);
    let text = '';
    for await (const piece of response.text) text += piece;
    assert.match(text, /openLedger/);
  });
});
