import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { readFolder, reportDocument, until } from './open-folder.js';

suite('reports', () => {
  test('the plan tells what reading will take', async () => {
    const plan = (await reportDocument('plan')).getText();
    assert.match(plan, /# Memory plan of orchard/);
    assert.match(plan, /budget/);
  });

  test('the models are listed, the bundled one among them', async () => {
    assert.match((await reportDocument('models')).getText(), /\| nano \|/);
  });

  test('the coverage says that nothing was read, and is written anew once something was', async () => {
    const coverage = await reportDocument('coverage');
    await vscode.window.showTextDocument(coverage);
    assert.match(coverage.getText(), /^orchard has not been read in this session/);
    await readFolder();
    const written = await until('the coverage', () => {
      const text = coverage.getText();
      return Promise.resolve(text.startsWith('# What was read of orchard') ? text : undefined);
    });
    assert.match(written, /src\/ledger\.ts/);
    assert.doesNotMatch(written, /generated\.js/);
  });
});
