// `npm test`: types, lint, format, the CUDA kernels on the processor, then every test, at last those in a real editor.
// Arguments go to vitest, and only the tests that they name are run; those with "cuda" in their name need the kernels.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

installPackages();
const root = fileURLToPath(new URL('..', import.meta.url));

/** @param {string[]} command */
function run(...command) {
  process.stdout.write(`\n> ${command.join(' ')}\n`);
  const { status } = spawnSync('npx', ['--no-install', ...command], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

const argv = process.argv.slice(2);
const inEditor = argv.some((argument) => argument.includes('test/editor'));
run('tsc', '--noEmit');
run('tsc', '--noEmit', '-p', 'extension');
run('tsc', '--noEmit', '-p', 'extension/chat/webview');
run('eslint', '.');
run('prettier', '--check', '.');
if (argv.length === 0 || argv.some((argument) => argument.includes('cuda'))) {
  const { checkCuda } = await import('./test-cuda.mjs');
  const status = await checkCuda({ compileForDevices: argv.length === 0 });
  if (status !== 0) process.exit(status);
}
if (!inEditor) run('vitest', 'run', ...argv);
if (inEditor || argv.length === 0) {
  const { testEditor } = await import('./test-editor.mjs');
  process.exitCode = testEditor(argv);
}
