import assert from 'node:assert/strict';
import * as vscode from 'vscode';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

function isManifest(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && 'contributes' in value;
}

suite('activation', () => {
  test('the extension starts with the window', async () => {
    const extension = vscode.extensions.getExtension('locret.locret');
    assert.ok(extension);
    await extension.activate();
    assert.ok(extension.isActive);
  });

  test('every command of the manifest is registered', async () => {
    const manifest: unknown = vscode.extensions.getExtension('locret.locret')?.packageJSON;
    assert.ok(isManifest(manifest));
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = manifest.contributes.commands.map(({ command }) => command).filter((id) => !registered.has(id));
    assert.deepEqual(missing, []);
  });
});
