import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { lineOf, showFile, until } from './open-folder.js';

/** The commands of Locret's actions for a range, with the actions' titles. */
async function actionsFor(uri: vscode.Uri, range: vscode.Range): Promise<ReadonlyMap<string, string>> {
  const actions = await vscode.commands.executeCommand<(vscode.CodeAction | vscode.Command)[]>(
    'vscode.executeCodeActionProvider',
    uri,
    range,
  );
  const ours = actions.flatMap((action) => {
    const { command } = action;
    const id = typeof command === 'object' ? command.command : command;
    return id?.startsWith('locret.') === true ? [[id, action.title] as const] : [];
  });
  return new Map(ours);
}

suite('code actions', () => {
  test('a symbol can be asked about and explained', async () => {
    const { document } = await showFile('src/ledger.ts');
    const line = lineOf(document, 'export function openLedger') - 1;
    const cursor = new vscode.Range(line, 20, line, 20);
    const actions = await until('code actions', async () => {
      const found = await actionsFor(document.uri, cursor);
      return found.size > 0 ? found : undefined;
    });
    assert.match(actions.get('locret.askSelection') ?? '', /openLedger/);
    assert.match(actions.get('locret.explainSymbol') ?? '', /openLedger/);
  });

  test('a selection can be asked about', async () => {
    const { document } = await showFile('reports/apple_report.py');
    const actions = await actionsFor(document.uri, new vscode.Range(0, 0, 4, 3));
    assert.ok(actions.has('locret.askSelection'));
  });
});
