import * as vscode from 'vscode';
import type { RootUri } from '../../server/contract/protocol.js';
import { offerFolder } from '../places/folder-offer.js';
import { readableFolders, rootOf } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { describeRoot } from '../status/root-text.js';
import { displayLanguage } from '../text/display-language.js';

/**
 * The root that is meant when none is named: the only one, that of the active editor, or the one the user picks. Undefined
 * when the user picks none; when there is none, the user is told why.
 */
export async function chooseRoot(sidecar: Sidecar): Promise<RootUri | undefined> {
  const folders = readableFolders();
  if (folders.length <= 1) {
    const [folder] = folders;
    if (folder === undefined) await offerFolder();
    return folder?.uri.toString();
  }
  const active = vscode.window.activeTextEditor && rootOf(vscode.window.activeTextEditor.document.uri);
  if (active !== undefined) return active;
  const picked = await vscode.window.showQuickPick(
    folders.map((folder) => {
      const root = folder.uri.toString();
      const status = sidecar.status.roots.find((candidate) => candidate.root === root);
      return {
        root,
        label: folder.name,
        iconPath: vscode.ThemeIcon.Folder,
        description: vscode.workspace.asRelativePath(folder.uri, true),
        ...(status === undefined ? {} : { detail: describeRoot(status, displayLanguage) }),
      };
    }),
    { placeHolder: vscode.l10n.t('Which folder?') },
  );
  return picked?.root;
}
