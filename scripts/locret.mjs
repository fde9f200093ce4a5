// The `locret` command from a checkout: installs and builds what is missing, then runs it.
import { installPackages } from './install.mjs';

installPackages();
const { buildAll } = await import('./build.mjs');
await buildAll();
// npm runs scripts in the package's folder; a relative path on the command line is meant from where the user stands.
await import(new URL('../dist/locret.js', import.meta.url).href);
