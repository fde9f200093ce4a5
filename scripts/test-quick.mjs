// `npm run test:quick -- test/unit/engine`: only the tests in files whose path contains this, without types, lint and format.
// dist/ is built when it is stale.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

const argv = process.argv.slice(2);
if (argv.length === 0) {
  process.stderr.write('Say which tests: npm run test:quick -- FILE (or a part of paths). All of them: npm test.\n');
  process.exit(2);
}
installPackages();
const { status } = spawnSync('npx', ['--no-install', 'vitest', 'run', ...argv], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exitCode = status ?? 1;
