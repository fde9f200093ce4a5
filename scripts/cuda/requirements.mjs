// What a module for Linux needs of the system that loads it. The engine promises to need the driver, which it opens by
// itself, and the C library.

/** Libraries that every Linux system with glibc has, and that Node itself needs. */
const always = ['libc.so.6', 'libm.so.6', 'libgcc_s.so.1', 'ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1'];

/**
 * @typedef {object} Requirements
 * @property {readonly string[]} libraries that are loaded with it
 * @property {string} glibc the oldest version that has all of its functions
 */

/**
 * Compares versions like 2.9 and 2.34 number by number.
 * @param {string} a
 * @param {string} b
 */
function compareVersions(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}

/**
 * Reads what `objdump -p` says.
 * @param {string} headers
 * @returns {Requirements}
 */
export function readRequirements(headers) {
  const libraries = [...headers.matchAll(/^\s*NEEDED\s+(\S+)$/gm)].map((match) => match[1] ?? '');
  const versions = [...headers.matchAll(/\bGLIBC_([\d.]+)$/gm)].map((match) => match[1] ?? '');
  return { libraries, glibc: versions.sort(compareVersions).at(-1) ?? '' };
}

/**
 * The libraries that not every system has.
 * @param {Requirements} requirements
 */
export function uncommonLibraries({ libraries }) {
  return libraries.filter((library) => !always.includes(library));
}
