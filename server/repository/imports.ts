import type { Grammar } from './languages.js';

/** More imports than this say no more about a file's place in the order. */
const maxImports = 200;

/** Every way a language names another file; the first group is the name as written. */
const importPatterns: Readonly<Record<Grammar, readonly RegExp[]>> = {
  typescript: [/\bfrom\s?['"]([^'"\n]{1,300})['"]/g, /\b(?:import|require)\s?\(?\s?['"]([^'"\n]{1,300})['"]/g],
  tsx: [/\bfrom\s?['"]([^'"\n]{1,300})['"]/g, /\b(?:import|require)\s?\(?\s?['"]([^'"\n]{1,300})['"]/g],
  javascript: [/\bfrom\s?['"]([^'"\n]{1,300})['"]/g, /\b(?:import|require)\s?\(?\s?['"]([^'"\n]{1,300})['"]/g],
  python: [],
  rust: [
    /^[ \t]{0,8}(?:pub(?:\([a-z: ]{1,40}\))? )?(mod \w{1,100});/gm,
    /^[ \t]{0,8}(?:pub(?:\([a-z: ]{1,40}\))? )?use ([\w:]{1,300})/gm,
  ],
  go: [/^[ \t]{0,8}(?:import )?(?:[\w.]{1,100} )?"([^"\s]{1,300})"[ \t]{0,8}(?:\/\/[^\n]{0,200})?\r?$/gm],
  java: [/^[ \t]{0,8}import (?:static )?([\w.*]{1,300});/gm],
  cpp: [/^[ \t]{0,8}#[ \t]{0,8}include[ \t]{0,8}(["<][^">\n]{1,300})[">]/gm],
  'c-sharp': [],
  ruby: [/^[ \t]{0,8}(require_relative ['"][^'"\n]{1,300})['"]/gm, /^[ \t]{0,8}require ['"]([^'"\n]{1,300})['"]/gm],
  php: [
    /^[ \t]{0,8}use (?:function |const )?\\?([\w\\]{1,300})/gm,
    /\b(?:require|include)(?:_once)?[ (]{1,4}(?:__DIR__ ?\. ?)?(['"][^'"\n]{1,300})['"]/g,
  ],
  bash: [/^[ \t]{0,8}(?:source|\.)[ \t]{1,8}['"]?([\w./-]{1,300})/gm],
  powershell: [],
};

const pythonFrom = /^[ \t]{0,8}from (\.{0,20})([\w.]{0,300}) import ([^#\n]{0,500})/gm;
const pythonImport = /^[ \t]{0,8}import ([\w., ]{1,500})/gm;

/** `from .a import b` names the module `.a` and, where `b` is a module, `.a.b`. */
function pythonImports(text: string): string[] {
  const names: string[] = [];
  for (const [, dots = '', module = '', imported = ''] of text.matchAll(pythonFrom)) {
    if (module !== '') names.push(dots + module);
    for (const part of imported.split(',')) {
      const name = /^[\s(]{0,8}(\w{1,200})/.exec(part)?.[1];
      if (name !== undefined) names.push(`${dots}${module === '' ? '' : `${module}.`}${name}`);
    }
    if (names.length > maxImports) break;
  }
  for (const [, modules = ''] of text.matchAll(pythonImport)) {
    for (const part of modules.split(',')) {
      const name = part.trim().split(' ')[0];
      if (name !== undefined && name !== '') names.push(name);
    }
    if (names.length > maxImports) break;
  }
  return names;
}

/**
 * The other files that a source text names, as it writes them: module paths, includes, `mod` declarations. C# names
 * namespaces, not files, and has none.
 *
 * @param text the beginning of the file
 */
export function importsOf(language: Grammar | undefined, text: string): readonly string[] {
  if (language === undefined) return [];
  const names = new Set<string>();
  const found = language === 'python' ? pythonImports(text) : [];
  for (const name of found.slice(0, maxImports)) names.add(name);
  for (const pattern of importPatterns[language]) {
    for (const match of text.matchAll(pattern)) {
      if (match[1] !== undefined) names.add(match[1]);
      if (names.size >= maxImports) break;
    }
  }
  return [...names];
}
