// The licences of everything in the package that others wrote.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseObject } from '../json-object.mjs';

/**
 * The folders of the packages that files belong to, relative to the repository's root, sorted.
 * @param {readonly string[]} files relative to the root, with forward slashes
 */
export function packageFoldersOf(files) {
  const folders = files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

/** Who holds the rights to packages that come without the text of their licence; all of them are under the MIT licence. */
const holders = new Map([
  ['onnxruntime-node', 'Microsoft Corporation'],
  ['onnxruntime-common', 'Microsoft Corporation'],
]);

/** @param {string} holder */
function mitLicence(holder) {
  return `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
}

/** @param {string} folder of a package */
async function noticeOf(folder) {
  const { name, version, license } = parseObject(await readFile(path.join(folder, 'package.json'), 'utf8'));
  if (typeof name !== 'string' || typeof version !== 'string' || typeof license !== 'string') {
    throw new Error(`${folder}/package.json lacks a name, a version or a licence.`);
  }
  const texts = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  const parts = await Promise.all(texts.map((file) => readFile(path.join(folder, file), 'utf8')));
  if (parts.length === 0) {
    const holder = holders.get(name);
    if (holder === undefined || license !== 'MIT')
      throw new Error(`${folder} has no file with the text of its licence.`);
    parts.push(mitLicence(holder));
  }
  return [`## ${name} ${version} (${license})`, ...parts.map((part) => part.trim())].join('\n\n');
}

/** What the GPU engine is linked with. */
export const cudaRuntimeNotice = `## NVIDIA CUDA Runtime

Copyright (c) NVIDIA Corporation. All rights reserved.

dist/locret-cuda.node is linked with the static library of the CUDA runtime, which the License Agreement for NVIDIA Software Development Kits with its CUDA Toolkit Supplement, Attachment A, allows to be distributed as part of an application: https://docs.nvidia.com/cuda/eula/index.html`;

/**
 * One text with name, version and licence of each package.
 * @param {readonly string[]} folders of packages
 * @param {readonly string[]} others notices of what comes from no package
 * @throws Error when a package is not installed or its licence is not known
 */
export async function thirdPartyNotices(folders, others = []) {
  const notices = [...(await Promise.all(folders.map(noticeOf))), ...others];
  return `Locret contains the following software by others.\n\n${notices.join('\n\n---\n\n')}\n`;
}
