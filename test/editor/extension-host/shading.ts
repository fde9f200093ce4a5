import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { fileInFolder, openFolder, readFolder, showFile, until } from './open-folder.js';
import { reportMark } from '../report-mark.js';

const path = 'src/large.ts';
const lines = 5_000;

/** What a hover says of a line, if shading says something of it. */
async function shareAt(document: vscode.TextDocument, line: number): Promise<string | undefined> {
  const position = new vscode.Position(line, 3);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    position,
  );
  const parts = hovers.flatMap(({ contents }) => contents);
  const texts = parts.map((part) => (part instanceof vscode.MarkdownString ? part.value : ''));
  return texts.find((text) => text.includes('cache units'));
}

suite('shading', () => {
  suiteSetup(async () => {
    const text = Array.from({ length: lines }, (_, index) => `export const value${index} = ${index};\n`).join('');
    await vscode.workspace.fs.writeFile(fileInFolder(path), Buffer.from(text));
    await readFolder();
    await vscode.commands.executeCommand('locret.update', openFolder().uri.toString());
  });

  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.workspace.fs.delete(fileInFolder(path));
  });

  test('every line of a large file has its share, from first to last', async () => {
    const { document } = await showFile(path);
    const toggle = () => vscode.commands.executeCommand('locret.toggleShading');
    const times: number[] = [];
    // The first time, what is remembered of all files is asked for, too.
    for (let time = 0; time < 3; time += 1) {
      const began = performance.now();
      await toggle();
      await until('the shades of the first line', () => shareAt(document, 0));
      times.push(performance.now() - began);
      assert.ok(await shareAt(document, lines - 1));
      await toggle();
      assert.equal(await shareAt(document, 0), undefined);
    }
    const shown = times.map((time) => `${time.toFixed(0)} ms`).join(', ');
    console.log(`${reportMark}    ${lines} lines are shaded after ${shown}`);
  });
});
