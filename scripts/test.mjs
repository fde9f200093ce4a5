// `npm test`: types, lint, format, then every test. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

installPackages();
const root = fileURLToPath(new URL('..', import.meta.url));

/** @param {string} program @param {string[]} argv */
function run(program, ...argv) {
  process.stdout.write(`\n> ${program} ${argv.join(' ')}\n`);
  const { status } = spawnSync('npx', ['--no-install', program, ...argv], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

run('tsc', '--noEmit');
run('eslint', '.');
run('prettier', '--check', '.');
run('vitest', 'run', ...process.argv.slice(2));
