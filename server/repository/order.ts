import path from 'node:path';
import type { InspectedFile } from './inspect.js';
import { ImportResolution } from './import-resolution.js';
import { languageOf } from './languages.js';
import type { RepositoryFile } from './source.js';

/** Files that say what a project is and how it is built. */
const manifests: ReadonlySet<string> = new Set([
  ...['package.json', 'pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', 'Cargo.toml', 'go.mod', 'go.work'],
  ...['pom.xml', 'build.gradle', 'build.gradle.kts', 'settings.gradle', 'settings.gradle.kts', 'CMakeLists.txt'],
  ...[
    'Makefile',
    'meson.build',
    'configure.ac',
    'composer.json',
    'Gemfile',
    'Package.swift',
    'pubspec.yaml',
    'mix.exs',
  ],
  ...['deno.json', 'deno.jsonc', 'pnpm-workspace.yaml', 'tsconfig.json', 'Dockerfile', 'docker-compose.yml'],
  ...['Directory.Build.props', 'BUILD.bazel', 'MODULE.bazel', 'WORKSPACE', 'flake.nix', 'justfile'],
]);
const manifestEndings = ['.gemspec', '.sln', '.csproj', '.fsproj', '.cabal'];
const documentEndings = ['.md', '.mdx', '.rst', '.adoc', '.txt'];
const documentFolder = /^(?:docs?|documentation)\//i;

const isReadme = (filePath: string): boolean => /^readme(?:\.|$)/i.test(path.posix.basename(filePath));

/** 0: README, 1: manifests, 2: other documents, all of the root; 3: the folder of documents; 4: everything else. */
function overviewRank(filePath: string): number {
  const endsIn = (endings: readonly string[]): boolean => endings.some((end) => filePath.toLowerCase().endsWith(end));
  if (filePath.includes('/')) return documentFolder.test(filePath) && endsIn(documentEndings) ? 3 : 4;
  if (isReadme(filePath)) return 0;
  if (manifests.has(filePath) || endsIn(manifestEndings)) return 1;
  return endsIn(documentEndings) ? 2 : 4;
}

/** Code-unit order: the same on every machine, whatever its language settings. */
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A file or folder among its siblings. */
interface Item {
  readonly name: string;
  readonly file: InspectedFile | undefined;
  readonly children: Map<string, Item>;
  /** Siblings that this item, or anything in it, imports from. */
  readonly uses: Set<Item>;
}

function newItem(name: string, file: InspectedFile | undefined): Item {
  return { name, file, children: new Map(), uses: new Set() };
}

/** READMEs, then files, then folders, each by name. */
function compareItems(a: Item, b: Item): number {
  const rank = (item: Item): number => (item.file === undefined ? 2 : isReadme(item.name) ? 0 : 1);
  return rank(a) - rank(b) || compareText(a.name, b.name);
}

/** Adds the file to the tree of folders and returns the items on its way, the root's child first. */
function place(root: Item, file: InspectedFile): readonly Item[] {
  const parts = file.file.path.split('/');
  const way: Item[] = [];
  let folder = root;
  for (const [at, part] of parts.entries()) {
    const isFile = at === parts.length - 1;
    // A folder and a file may have had the same name when each was seen.
    const key = isFile ? part : `${part}/`;
    let child = folder.children.get(key);
    if (child === undefined) {
      child = newItem(part, isFile ? file : undefined);
      folder.children.set(key, child);
    }
    way.push(child);
    folder = child;
  }
  return way;
}

/** Where the ways of two files part, the one's item uses the other's. */
function addUse(user: readonly Item[], used: readonly Item[]): void {
  for (const [at, item] of user.entries()) {
    const other = used[at];
    if (other === undefined) return;
    if (item !== other) {
      item.uses.add(other);
      return;
    }
  }
}

/**
 * Siblings in order, each behind those that it uses. Where uses form a cycle, the one that closes it, as seen from the
 * first of them by name, is disregarded. Without recursion: chains of imports are as long as a repository likes.
 */
function usedFirst(items: readonly Item[]): Item[] {
  const ordered: Item[] = [];
  const seen = new Set<Item>();
  for (const start of items) {
    if (seen.has(start)) continue;
    seen.add(start);
    const stack = [{ item: start, uses: [...start.uses].sort(compareItems).values() }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.uses.next();
      if (next.done === true) {
        ordered.push(top.item);
        stack.pop();
      } else if (!seen.has(next.value)) {
        seen.add(next.value);
        stack.push({ item: next.value, uses: [...next.value.uses].sort(compareItems).values() });
      }
    }
  }
  return ordered;
}

/** The files of a tree of folders, folder by folder, used before user. */
function filesOf(root: Item): InspectedFile[] {
  const files: InspectedFile[] = [];
  const stack = [root];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (item.file !== undefined) files.push(item.file);
    const children = usedFirst([...item.children.values()].sort(compareItems));
    stack.push(...children.reverse());
  }
  return files;
}

/**
 * The order in which a repository is read, the same for the same files:
 *
 * 1. the overview: the root's README, its manifests, its other documents, then the documents of `docs/`;
 * 2. everything else folder by folder: in each folder its README, its files and then its folders, by name, except that
 *    what others in the folder import stands before them. Imports are resolved by paths (`ImportResolution`), and an
 *    import between two folders orders these folders; a cycle is cut where it closes.
 */
export function orderFiles(files: readonly InspectedFile[]): RepositoryFile[] {
  const overview = files.filter(({ file }) => overviewRank(file.path) < 4);
  overview.sort(
    ({ file: a }, { file: b }) => overviewRank(a.path) - overviewRank(b.path) || compareText(a.path, b.path),
  );
  const resolution = new ImportResolution(files.map(({ file }) => file.path).sort(compareText));
  const root = newItem('', undefined);
  const ways = new Map<string, readonly Item[]>();
  for (const file of files) {
    if (overviewRank(file.file.path) === 4) ways.set(file.file.path, place(root, file));
  }
  for (const { file, imports } of files) {
    const user = ways.get(file.path);
    const language = languageOf(file.path);
    if (user === undefined || language === undefined) continue;
    for (const name of imports) {
      const used = resolution.resolve(language, file.path, name);
      const way = used === undefined ? undefined : ways.get(used);
      if (way !== undefined) addUse(user, way);
    }
  }
  return [...overview, ...filesOf(root)].map(({ file }) => file);
}
