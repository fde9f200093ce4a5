// `npm run settings`: writes what follows from the tables of settings. Bundles scripts/settings/write.ts into .cache and runs it.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = `${root}.cache/settings/write.mjs`;
await build({
  absWorkingDir: root,
  entryPoints: ['scripts/settings/write.ts'],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
});
await import(pathToFileURL(outfile).href);
