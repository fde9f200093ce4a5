import assert from 'node:assert/strict';
import { readFolder, reportText } from './open-folder.js';

suite('reports', () => {
  test('the plan tells what reading will take', async () => {
    const plan = await reportText('plan');
    assert.match(plan, /# Memory plan of orchard/);
    assert.match(plan, /budget/);
  });

  test('the models are listed, the bundled one among them', async () => {
    assert.match(await reportText('models'), /\| nano \|/);
  });

  test('the coverage names what was read, and not what git ignores', async () => {
    await readFolder();
    const coverage = await reportText('coverage');
    assert.match(coverage, /src\/ledger\.ts/);
    assert.doesNotMatch(coverage, /generated\.js/);
  });
});
