import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { openFolder, until } from './open-folder.js';

/** The memory plan as the command shows it: the document is written anew each time. */
async function planAfterCommand(): Promise<string | undefined> {
  const root = openFolder().uri.toString();
  await vscode.commands.executeCommand('locret.showPlan', root);
  const uri = vscode.Uri.from({ scheme: 'locret-report', path: '/plan.md', query: root }).toString();
  return vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri)?.getText();
}

suite('settings', () => {
  teardown(async () => {
    await vscode.workspace.getConfiguration('locret').update('budget', undefined, vscode.ConfigurationTarget.Global);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  test('a changed setting reaches the sidecar', async () => {
    const before = await until('the plan', planAfterCommand);
    assert.doesNotMatch(before, /\b192\b/);
    await vscode.workspace.getConfiguration('locret').update('budget', 192, vscode.ConfigurationTarget.Global);
    await until('a plan with a budget of 192', async () => {
      const plan = await planAfterCommand();
      return plan !== undefined && /budget[^\n]*\b192\b/.test(plan) ? plan : undefined;
    });
  });
});
