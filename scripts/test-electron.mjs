// `npm run test:electron`: the tests of the extension host in a VS Code for the desktop, which is downloaded when first
// needed. VSCODE_EXECUTABLE names one that is there already.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

installPackages();
const { buildAll } = await import('./build.mjs');
const { bundleExtensionHostTests } = await import('./extension-host-tests.mjs');
await buildAll();
const { suite, electron } = await bundleExtensionHostTests();
const extension = fileURLToPath(new URL('..', import.meta.url));
const run = spawnSync(process.execPath, [electron, extension, suite], { cwd: extension, stdio: 'inherit' });
process.exitCode = run.status ?? 1;
