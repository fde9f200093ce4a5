import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { fileInFolder } from './open-folder.js';

const text = `# Where things are

## Question

Where is \`openLedger\` defined?

### Answer

In src/ledger.ts:8 and nowhere in src/absent.ts:3, says [src/ledger.ts:8](src/ledger.ts#L8).
`;

suite('conversation documents', () => {
  let document: vscode.TextDocument;

  suiteSetup(async () => {
    const file = fileInFolder('notes/places.locret.md');
    await vscode.workspace.fs.writeFile(file, Buffer.from(text));
    document = await vscode.workspace.openTextDocument(file);
  });

  suiteTeardown(async () => {
    await vscode.workspace.fs.delete(fileInFolder('notes'), { recursive: true });
  });

  test('have a language of their own', () => {
    assert.equal(document.languageId, 'locret-conversation');
  });

  test('link the places that are there, and no others', async () => {
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      document.uri,
    );
    const targets = links.map(({ target }) => target?.toString() ?? '');
    const ledger = fileInFolder('src/ledger.ts').with({ fragment: 'L8' }).toString();
    assert.equal(targets.filter((target) => target === ledger).length, 2);
    assert.ok(!targets.some((target) => target.includes('absent')));
  });
});
