import type {
  ChangedFile,
  CoverageResult,
  RetentionResult,
  RootUri,
  SkippedFile,
} from '../../server/contract/protocol.js';

/** What a part of the repository takes up in the memory. */
interface Remembered {
  readonly root: RootUri;
  /** Relative to the root, with forward slashes; empty for the root itself. */
  readonly path: string;
  readonly name: string;
  readonly tokens: number;
  /** Share of the cache units that is kept, 0..1: of a folder, of all its tokens. */
  readonly kept: number;
  /** Place in the order in which files were read; of a folder, of its first file. */
  readonly order: number;
}

export interface FileNode extends Remembered {
  readonly kind: 'file';
  readonly change?: ChangedFile['change'] | undefined;
}

export interface FolderNode extends Remembered {
  readonly kind: 'folder';
  readonly files: number;
  /** Files below that changed since they were read. */
  readonly changed: number;
  readonly children: readonly (FolderNode | FileNode)[];
}

/** The files that were not read. */
export interface SkippedGroup {
  readonly kind: 'skipped-group';
  readonly root: RootUri;
  readonly files: readonly SkippedFile[];
}

export interface SkippedNode {
  readonly kind: 'skipped';
  readonly root: RootUri;
  readonly file: SkippedFile;
}

export interface RootNode {
  readonly kind: 'root';
  readonly root: RootUri;
  readonly name: string;
  readonly folder: FolderNode;
  readonly skipped: SkippedGroup | undefined;
}

export type RetentionNode = RootNode | FolderNode | FileNode | SkippedGroup | SkippedNode;

export const retentionOrders = ['name', 'share', 'reading'] as const;
export type RetentionOrder = (typeof retentionOrders)[number];

/** A folder while its files are gathered. */
class FolderDraft {
  readonly folders = new Map<string, FolderDraft>();
  readonly files: FileNode[] = [];

  constructor(readonly path: string) {}

  folder(name: string): FolderDraft {
    let folder = this.folders.get(name);
    if (folder === undefined) {
      folder = new FolderDraft(this.path === '' ? name : `${this.path}/${name}`);
      this.folders.set(name, folder);
    }
    return folder;
  }
}

/** What is remembered of a root, as a tree: folders with one folder in them and nothing else are one with it. */
export function buildRetentionTree(
  root: { readonly root: RootUri; readonly name: string },
  retention: Pick<RetentionResult, 'files'>,
  coverage: Pick<CoverageResult, 'skipped' | 'changed'>,
): RootNode {
  const changes = new Map(coverage.changed.map(({ path, change }) => [path, change]));
  const top = new FolderDraft('');
  for (const [order, { path, tokens, kept }] of retention.files.entries()) {
    const change = changes.get(path);
    changes.delete(path);
    place(top, { root: root.root, path, tokens, kept, order, change });
  }
  // What is left is new: nothing of it is remembered yet.
  for (const [path, change] of changes)
    place(top, { root: root.root, path, tokens: 0, kept: 0, order: retention.files.length, change });
  return {
    kind: 'root',
    ...root,
    folder: finish(top, root.root, ''),
    skipped:
      coverage.skipped.length === 0
        ? undefined
        : { kind: 'skipped-group', root: root.root, files: [...coverage.skipped].sort(byPath) },
  };
}

function place(top: FolderDraft, file: Omit<FileNode, 'kind' | 'name'>): void {
  const names = file.path.split('/');
  const name = names.pop() ?? '';
  let folder = top;
  for (const folderName of names) folder = folder.folder(folderName);
  folder.files.push({ kind: 'file', name, ...file });
}

function finish(draft: FolderDraft, root: RootUri, name: string): FolderNode {
  const [only] = draft.folders;
  if (only !== undefined && draft.folders.size === 1 && draft.files.length === 0 && draft.path !== '')
    return finish(only[1], root, `${name}/${only[0]}`);
  const folders = Array.from(draft.folders, ([folderName, folder]) => finish(folder, root, folderName));
  const children = [...folders, ...draft.files];
  const tokens = sum(children, (child) => child.tokens);
  const kept = sum(children, (child) => child.tokens * child.kept);
  return {
    kind: 'folder',
    root,
    path: draft.path,
    name,
    tokens,
    kept: tokens === 0 ? 0 : kept / tokens,
    order: children.reduce((first, child) => Math.min(first, child.order), Infinity),
    files: draft.files.length + sum(folders, (folder) => folder.files),
    changed: sum(folders, (folder) => folder.changed) + draft.files.filter(({ change }) => change !== undefined).length,
    children,
  };
}

function sum<Element>(elements: readonly Element[], amount: (element: Element) => number): number {
  return elements.reduce((total, element) => total + amount(element), 0);
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** Names as people sort them: `file2` before `file10`. */
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** What is in a folder, in an order: by name folders come first, by share what is remembered best. */
export function childrenOf(folder: FolderNode, order: RetentionOrder): (FolderNode | FileNode)[] {
  switch (order) {
    case 'name':
      return [...folder.children].sort(
        (a, b) => Number(a.kind === 'file') - Number(b.kind === 'file') || collator.compare(a.name, b.name),
      );
    case 'share':
      return [...folder.children].sort((a, b) => b.kept - a.kept || collator.compare(a.name, b.name));
    case 'reading':
      return [...folder.children].sort((a, b) => a.order - b.order || collator.compare(a.name, b.name));
  }
}

/** The nodes on the way to a file or folder, which is the last; undefined when it is not in the tree. */
export function wayTo(root: RootNode, path: string): readonly (FolderNode | FileNode)[] | undefined {
  const way: (FolderNode | FileNode)[] = [];
  let folder = root.folder;
  for (;;) {
    const next: FolderNode | FileNode | undefined = folder.children.find(
      (child) => child.path === path || (child.kind === 'folder' && path.startsWith(`${child.path}/`)),
    );
    if (next === undefined) return undefined;
    way.push(next);
    if (next.path === path || next.kind === 'file') return way;
    folder = next;
  }
}
