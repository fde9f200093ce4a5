// `npm run package`: makes locret-TARGET.vsix, the extension for one platform with everything it needs.
// The packaging tool is no dependency of the product: it is installed in .cache/package when first needed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPackages, installTools } from './install.mjs';
import { archiveEntries, megabytes, partsOf, problemsOf } from './package/contents.mjs';
import { ownTarget, targetNames } from './package/targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = path.join(root, '.cache/package');
/** The last major version that runs on Node 20. */
const vsce = '3.9.2';
const maxBytes = 90e6;

/**
 * Makes the package of a target.
 * @param {string} target
 * @param {string} [file] where it is written; default: locret-TARGET.vsix in the repository's root
 * @returns {Promise<string>} the file
 * @throws Error when it contains what it should not, lacks what it should contain or is too large
 */
export async function packageExtension(target, file = path.join(root, `locret-${target}.vsix`)) {
  installTools(cache, [`@vscode/vsce@${vsce}`]);
  const { stagePackage } = await import('./package/stage.mjs');
  const stage = path.join(cache, target);
  const staged = await stagePackage(stage, target);
  mkdirSync(path.dirname(file), { recursive: true });
  const argv = ['package', '--target', target, '--out', file, '--no-dependencies', '--allow-missing-repository'];
  const run = spawnSync(process.execPath, [path.join(cache, 'node_modules/@vscode/vsce/vsce'), ...argv], {
    cwd: stage,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`vsce failed:\n${run.stdout}${run.stderr}`);
  const entries = await archiveEntries(file);
  const { size: bytes } = statSync(file);
  const problems = problemsOf(entries, staged, { bytes, maxBytes });
  if (problems.length > 0) throw new Error(`${file} is not as it should be:\n${problems.join('\n')}`);
  const parts = partsOf(entries).slice(0, 6);
  process.stdout.write(`${path.relative(process.cwd(), file)}: ${megabytes(bytes)}, ${entries.length} files\n`);
  for (const part of parts) process.stdout.write(`  ${megabytes(part.bytes).padStart(8)}  ${part.part}\n`);
  return file;
}

async function main() {
  const { values } = parseArgs({ options: { target: { type: 'string', multiple: true }, help: { type: 'boolean' } } });
  if (values.help === true) {
    process.stdout.write(`npm run package -- [--target TARGET]…\nTargets: ${targetNames.join(', ')}, all\n`);
    return;
  }
  installPackages();
  const targets = values.target ?? [ownTarget];
  for (const target of targets.includes('all') ? targetNames : targets) await packageExtension(target);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
