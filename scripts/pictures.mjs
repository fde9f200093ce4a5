// `npm run pictures`: drives the packaged extension in a real VS Code and writes the pictures of docs/pictures. Every
// picture in light, dark and high contrast lies in .cache/pictures afterwards. Arguments go to vitest.
import { installPackages } from './install.mjs';
import { obstacle, runInEditor } from './test-editor.mjs';

installPackages();
const reason = obstacle();
if (reason === undefined) {
  process.exitCode = runInEditor('pictures', process.argv.slice(2));
} else {
  process.stderr.write(`No pictures can be taken. ${reason}\n`);
  process.exitCode = 1;
}
