import { posix } from 'node:path';
import type { Grammar } from './languages.js';

/** A file name that so many files have says nothing about which of them is meant. */
const maxNamesakes = 64;

const scriptExtensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.d.ts', '.json'];
const scriptIndexes = scriptExtensions.map((extension) => `/index${extension}`);
const compiledExtension = /\.([cm]?)js(x?)$/;

/** The folders of a path from its own to the root, which is the empty string. */
function foldersUp(filePath: string): string[] {
  const folders: string[] = [];
  for (let folder = posix.dirname(filePath); folder !== '.' && folder !== '/'; folder = posix.dirname(folder))
    folders.push(folder);
  folders.push('');
  return folders;
}

function commonFolders(a: string, b: string): number {
  const left = a.split('/');
  const right = b.split('/');
  let count = 0;
  while (count < left.length - 1 && count < right.length - 1 && left[count] === right[count]) count += 1;
  return count;
}

/**
 * Finds the files of a repository that imports name, as far as paths alone tell: no compiler settings, package
 * manifests or module maps are read.
 */
export class ImportResolution {
  private readonly paths: ReadonlySet<string>;
  private readonly byName = new Map<string, string[]>();
  /** A file of each folder that holds Go code: a package is a folder. */
  private readonly goPackages = new Map<string, string>();

  constructor(paths: readonly string[]) {
    this.paths = new Set(paths);
    for (const file of paths) {
      const name = posix.basename(file);
      const namesakes = this.byName.get(name);
      if (namesakes === undefined) this.byName.set(name, [file]);
      else namesakes.push(file);
      if (name.endsWith('.go') && !name.endsWith('_test.go') && !this.goPackages.has(posix.dirname(file))) {
        this.goPackages.set(posix.dirname(file), file);
      }
    }
  }

  /** The file that an import names; undefined when it is none of the repository, or cannot be told. */
  resolve(language: Grammar, filePath: string, name: string): string | undefined {
    switch (language) {
      case 'typescript':
      case 'tsx':
      case 'javascript':
        return this.script(filePath, name);
      case 'python':
        return this.python(filePath, name);
      case 'rust':
        return this.rust(filePath, name);
      case 'go':
        return this.go(name);
      case 'java':
        return name.endsWith('.*') ? undefined : this.java(filePath, name);
      case 'cpp':
        return this.include(filePath, name);
      case 'ruby':
        return this.ruby(filePath, name);
      case 'php':
        return this.php(filePath, name);
      case 'bash':
        return this.first([posix.join(posix.dirname(filePath), name), name]);
      case 'c-sharp':
      case 'powershell':
        return undefined;
    }
  }

  private first(candidates: readonly string[]): string | undefined {
    return candidates.map((candidate) => posix.join(candidate)).find((candidate) => this.paths.has(candidate));
  }

  /** The file whose path ends so; of several the one nearest to the importing file. */
  private endingIn(ending: string, filePath: string): string | undefined {
    const namesakes = this.byName.get(posix.basename(ending)) ?? [];
    if (namesakes.length > maxNamesakes) return undefined;
    let best: string | undefined;
    for (const candidate of namesakes) {
      if (candidate !== ending && !candidate.endsWith(`/${ending}`)) continue;
      if (best === undefined || commonFolders(candidate, filePath) > commonFolders(best, filePath)) best = candidate;
    }
    return best;
  }

  private script(filePath: string, name: string): string | undefined {
    const compiled = name.replace(compiledExtension, '.$1ts$2');
    const bases = /^[@~]\//.test(name)
      ? foldersUp(filePath).flatMap((folder) => [
          posix.join(folder, 'src', name.slice(2)),
          posix.join(folder, name.slice(2)),
        ])
      : name.startsWith('.')
        ? [posix.join(posix.dirname(filePath), name), posix.join(posix.dirname(filePath), compiled)]
        : [];
    for (const base of bases) {
      const found = this.first([base, ...[...scriptExtensions, ...scriptIndexes].map((ending) => base + ending)]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private python(filePath: string, name: string): string | undefined {
    const dots = /^\.*/.exec(name)?.[0].length ?? 0;
    const module = name.slice(dots).replaceAll('.', '/');
    const folders = foldersUp(filePath);
    const bases =
      dots > 0 ? folders.slice(dots - 1, dots) : folders.flatMap((folder) => [folder, posix.join(folder, 'src')]);
    for (const base of bases) {
      const found = this.first([
        `${posix.join(base, module)}.py`,
        posix.join(base, module, '__init__.py'),
        `${posix.join(base, module)}.pyi`,
      ]);
      if (found !== undefined && found !== filePath) return found;
    }
    return undefined;
  }

  private rust(filePath: string, name: string): string | undefined {
    const folder = posix.dirname(filePath);
    const isFolderModule = ['mod.rs', 'lib.rs', 'main.rs'].includes(posix.basename(filePath));
    const own = isFolderModule ? folder : posix.join(folder, posix.basename(filePath, '.rs'));
    const declared = /^mod (\w+)$/.exec(name)?.[1];
    if (declared !== undefined)
      return this.first([posix.join(own, `${declared}.rs`), posix.join(own, declared, 'mod.rs')]);
    const [first, ...rest] = name.split('::').filter((part) => part !== '');
    const crate = foldersUp(filePath).find((up) =>
      ['lib.rs', 'main.rs'].some((entry) => this.paths.has(posix.join(up, entry))),
    );
    const base =
      first === 'crate' ? crate : first === 'super' ? posix.dirname(own) : first === 'self' ? own : undefined;
    if (base === undefined) return undefined;
    for (let length = rest.length; length > 0; length--) {
      const module = posix.join(base, ...rest.slice(0, length));
      const found = this.first([`${module}.rs`, posix.join(module, 'mod.rs')]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private go(name: string): string | undefined {
    const parts = name.split('/');
    for (let from = parts[0]?.includes('.') === true ? 1 : 0; from < parts.length; from++) {
      const found = this.goPackages.get(parts.slice(from).join('/'));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private java(filePath: string, name: string): string | undefined {
    const parts = name.split('.');
    const member = this.endingIn(`${parts.slice(0, -1).join('/')}.java`, filePath);
    return this.endingIn(`${parts.join('/')}.java`, filePath) ?? (parts.length > 2 ? member : undefined);
  }

  private include(filePath: string, name: string): string | undefined {
    const header = posix.join(name.slice(1));
    const beside = name.startsWith('"') ? this.first([posix.join(posix.dirname(filePath), header)]) : undefined;
    return beside ?? (name.startsWith('"') || header.includes('/') ? this.endingIn(header, filePath) : undefined);
  }

  private ruby(filePath: string, name: string): string | undefined {
    const relative = /^require_relative ['"](.*)$/.exec(name)?.[1];
    const named = (relative ?? name).replace(/\.rb$/, '');
    if (relative !== undefined) return this.first([`${posix.join(posix.dirname(filePath), named)}.rb`]);
    return this.first(foldersUp(filePath).flatMap((folder) => [`${posix.join(folder, 'lib', named)}.rb`]));
  }

  private php(filePath: string, name: string): string | undefined {
    if (/^['"]/.test(name)) return this.first([posix.join(posix.dirname(filePath), name.slice(1))]);
    const parts = name.split('\\');
    for (let from = 0; from < parts.length; from++) {
      const found = this.endingIn(`${parts.slice(from).join('/')}.php`, filePath);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
