// Which sources of shaders-cuda/ make up what.
import { readdirSync } from 'node:fs';

/** The folders of kernels and of what runs them, in the order in which they build on each other. */
export const parts = ['products', 'attention', 'layers', 'eviction', 'engine'];

/**
 * @typedef {object} Sources
 * @property {string[]} library what the engine is made of
 * @property {string[]} binding what makes it a module of Node
 * @property {string[]} check the program that checks it
 * @property {string[]} bench the program that measures it
 * @property {string[]} emulation what runs kernels on the processor
 */

/**
 * The sources, as paths from `root`, which is shaders-cuda/. With `chosen` parts, only these and their checks and
 * benches: what does not compile elsewhere is then no hindrance.
 * @param {string} root
 * @param {readonly string[]} [chosen]
 * @returns {Sources}
 */
export function findSources(root, chosen) {
  const of = (/** @type {string} */ folder) => sourcesIn(root, folder);
  const wanted = chosen ?? parts;
  const ofChosen = (/** @type {string} */ folder) =>
    of(folder).filter((path) => {
      const part = parts.find((name) => path.startsWith(`${folder}/${name}`));
      return part === undefined || wanted.includes(part);
    });
  return {
    library: ['device', ...wanted].flatMap(of),
    binding: of('binding'),
    check: ofChosen('test/check'),
    bench: ofChosen('bench'),
    emulation: of('test/emulation'),
  };
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function sourcesIn(root, folder) {
  return readdirSync(`${root}/${folder}`)
    .filter((name) => /\.(cu|cpp)$/.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}
