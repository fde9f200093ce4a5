// `npm run pictures`: drives the packaged extension in a real VS Code and writes the pictures of docs/pictures. Every
// picture in light, dark and high contrast lies in .cache/pictures afterwards. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';
import { obstacle } from './test-editor.mjs';

installPackages();
const reason = obstacle();
if (reason !== undefined) {
  process.stderr.write(`No pictures can be taken. ${reason}\n`);
  process.exit(1);
}
const run = spawnSync('npx', ['--no-install', 'vitest', 'run', '--project', 'pictures', ...process.argv.slice(2)], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
});
process.exitCode = run.status ?? 1;
