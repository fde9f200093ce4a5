// Node's C interface, which the binding is compiled against. On Linux Node's functions are found in the process that
// loads the module; on Windows they are imported through a library.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools } from '../install.mjs';

const folder = fileURLToPath(new URL('../../.cache/cuda/node-api', import.meta.url));
/** Headers and the list of functions as Node publishes them, for where its own are not installed. */
const published = 'node-api-headers@1.9.0';

/** @returns {string} the folder of what is published, installed when first needed */
function publishedFolder() {
  installTools(folder, [published]);
  return path.join(folder, 'node_modules/node-api-headers');
}

/**
 * The folder with node_api.h: NODE_API_HEADERS, or beside this Node, or as published.
 * @returns {string}
 */
export function nodeApiHeaders() {
  const chosen = process.env['NODE_API_HEADERS'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const besideNode = ['../../include/node', '../include/node'].map((name) => path.join(process.execPath, name));
  return (
    besideNode.find((candidate) => existsSync(path.join(candidate, 'node_api.h'))) ??
    path.join(publishedFolder(), 'include')
  );
}

/**
 * The import library of Node's functions for Windows: NODE_LIBRARY, or made with `lib` from the published list.
 * @returns {string}
 * @throws Error when `lib` fails
 */
export function nodeApiLibrary() {
  const chosen = process.env['NODE_LIBRARY'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const library = path.join(folder, 'node.lib');
  if (existsSync(library)) return library;
  const list = path.join(publishedFolder(), 'def/node_api.def');
  const made = spawnSync('lib', ['/nologo', '/machine:x64', `/def:${list}`, `/out:${library}`], { encoding: 'utf8' });
  if (made.status === 0) return library;
  const said = made.error?.message ?? `${made.stdout}${made.stderr}`;
  throw new Error(`lib cannot make ${library}: ${said}\nStart a developer prompt of Visual Studio 2022 (x64).`);
}
