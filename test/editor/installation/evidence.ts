import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BrowserSession } from './browser.js';
import { editorCache } from './editor-installation.js';
import type { EditorServer } from './editor-server.js';
import type { Profile } from './profile.js';

const linesShown = 40;

/** What a failed test can be understood from. */
export interface Evidence {
  readonly browser: BrowserSession;
  readonly profile: Profile;
  readonly server: EditorServer;
}

/**
 * Leaves pictures of the windows and all logs in a folder of its own under .cache/editor/failures, and prints the end of
 * Locret's log.
 *
 * @returns the folder
 */
export async function keepEvidence(name: string, { browser, profile, server }: Evidence): Promise<string> {
  const folder = path.join(editorCache, 'failures', name.replace(/[^\w-]+/g, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [index, page] of browser.context.pages().entries()) {
    // A page that has crashed has no picture.
    await page.screenshot({ path: path.join(folder, `window-${index + 1}.png`) }).catch(() => undefined);
  }
  await writeFile(path.join(folder, 'window.log'), browser.console.join('\n'));
  await writeFile(path.join(folder, 'server.log'), server.output());
  const logs = await profile.logs(/./);
  for (const [file, text] of logs) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  process.stderr.write(`\nPictures and logs of "${name}": ${folder}\n`);
  for (const [file, text] of logs) {
    if (/locret/i.test(file)) process.stderr.write(`--- ${file}\n${text.split('\n').slice(-linesShown).join('\n')}\n`);
  }
  return folder;
}
