// Installs the packages of the lock file when they are missing or older than it.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param {string} file */
function modified(file) {
  return statSync(`${root}${file}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Runs `npm ci` when it has not been run since package-lock.json changed. */
export function installPackages() {
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return;
  process.stderr.write('Installing the packages (npm ci) …\n');
  const npm = process.env['npm_execpath'];
  const argv = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm's standard output would end up in the answer; it belongs to the messages.
  /** @type {import('node:child_process').SpawnSyncOptions} */
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const run =
    npm === undefined || npm === ''
      ? spawnSync('npm', argv, { ...options, shell: process.platform === 'win32' })
      : spawnSync(process.execPath, [npm, ...argv], options);
  if (run.status !== 0) {
    process.stderr.write('npm ci failed; see its message above. Locret needs its packages once, then no network.\n');
    process.exit(1);
  }
}
