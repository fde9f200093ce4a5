// `npm run test:editor`: the packaged extension in a real VS Code, driven in a real browser, and the tests that run in
// the extension host. The editor is installed in .cache/editor when first needed. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Why no editor can be tested here, with what to do about it; undefined where it can. */
export function obstacle() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `The editor under test runs on Linux x64 only; this is ${process.platform} ${process.arch}.`;
  }
  if (findChromium() !== undefined) return undefined;
  const command = 'apt-get install -y --no-install-recommends chromium fonts-dejavu-core';
  return `There is no Chromium. Install it with: ${command} (or name its program in CHROMIUM).`;
}

/** The browser's program; undefined where there is none. */
export function findChromium() {
  const named = process.env['CHROMIUM'];
  const places = named === undefined || named === '' ? ['/usr/bin/chromium', '/usr/bin/chromium-browser'] : [named];
  return places.find((place) => existsSync(place));
}

/**
 * Runs a project of test/editor/vitest.config.ts.
 * @param {'editor' | 'pictures'} project
 * @param {string[]} argv
 * @returns {number} exit status
 */
export function runInEditor(project, argv) {
  const command = ['vitest', 'run', '--config', 'test/editor/vitest.config.ts', '--project', project, ...argv];
  return spawnSync('npx', ['--no-install', ...command], { cwd: root, stdio: 'inherit' }).status ?? 1;
}

/**
 * Runs the tests, or says why they are skipped. In CI they are never skipped.
 * @param {string[]} argv
 * @returns {number} exit status
 */
export function testEditor(argv) {
  const reason = obstacle();
  if (reason !== undefined) {
    const isRequired = process.env['CI'] !== undefined && process.env['CI'] !== '';
    process.stderr.write(`\nThe tests in the editor ${isRequired ? 'cannot run' : 'are skipped'}. ${reason}\n`);
    return isRequired ? 1 : 0;
  }
  return runInEditor('editor', argv);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installPackages();
  process.exitCode = testEditor(process.argv.slice(2));
}
