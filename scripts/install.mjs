// Installs packages with npm: those of the lock file, and tools that are no dependency of the product.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseObject } from './json-object.mjs';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** @param {string} file */
function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * Runs npm in a folder; no install scripts run.
 * @param {string} folder
 * @param {string[]} argv
 * @returns {boolean} whether it succeeded; what it says goes to standard error
 */
export function npm(folder, ...argv) {
  const program = process.env['npm_execpath'];
  // npm's standard output would end up in the answer; it belongs to the messages.
  /** @type {import('node:child_process').SpawnSyncOptions} */
  const options = { cwd: folder, stdio: ['ignore', 2, 2] };
  const run =
    program === undefined || program === ''
      ? spawnSync('npm', [...argv, ...quiet], { ...options, shell: process.platform === 'win32' })
      : spawnSync(process.execPath, [program, ...argv, ...quiet], options);
  return run.status === 0;
}

/**
 * Runs `npm ci` when it has not been run since package-lock.json changed. Where node_modules is a link, as in a work tree
 * that shares the packages of another one, they are taken as they are: npm would empty the folder behind the link.
 * @param {string} [root] the folder of package-lock.json
 */
export function installPackages(root = checkout) {
  const packages = path.join(root, 'node_modules');
  if (lstatSync(packages, { throwIfNoEntry: false })?.isSymbolicLink() === true) return;
  if (modified(path.join(packages, '.package-lock.json')) >= modified(path.join(root, 'package-lock.json'))) return;
  process.stderr.write('Installing the packages (npm ci) …\n');
  if (npm(root, 'ci')) return;
  process.stderr.write('npm ci failed; see its message above. Locret needs its packages once, then no network.\n');
  process.exit(1);
}

/**
 * Installs tools with fixed versions into a folder of their own, unless they are there.
 * @param {string} folder
 * @param {string[]} packages `name@version`
 * @throws Error when npm fails
 */
export function installTools(folder, packages) {
  const isInstalled = packages.every((tool) => {
    const [, name = '', version = ''] = /^(.+)@(.+)$/.exec(tool) ?? [];
    return installedVersion(folder, name) === version;
  });
  if (isInstalled) return;
  process.stderr.write(`Installing ${packages.join(', ')} …\n`);
  mkdirSync(folder, { recursive: true });
  // A package of its own: npm would otherwise install into the one above it. Of the same type as that one.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  if (npm(folder, 'install', '--no-save', '--omit=optional', ...packages)) return;
  throw new Error(`${packages.join(', ')} could not be installed in ${folder}; see npm's message above.`);
}

/**
 * @param {string} folder
 * @param {string} name
 */
function installedVersion(folder, name) {
  const file = path.join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(file)) return undefined;
  return parseObject(readFileSync(file, 'utf8'))['version'];
}
