import { describe, expect, it } from 'vitest';
import type { ChangedFile, FileRetention, SkippedFile } from '../../../../server/contract/protocol.js';
import {
  buildRetentionTree,
  childrenOf,
  wayTo,
  type FolderNode,
  type RetentionOrder,
  type RootNode,
} from '../../../../extension/memory-view/retention-tree.js';

function treeOf(
  files: readonly FileRetention[],
  changed: readonly ChangedFile[] = [],
  skipped: readonly SkippedFile[] = [],
): RootNode {
  return buildRetentionTree({ root: 'file:///r', name: 'r' }, { files }, { changed, skipped });
}

function file(path: string, kept = 0.5, tokens = 100): FileRetention {
  return { path, kept, tokens };
}

function folderIn(folder: FolderNode, name: string): FolderNode {
  const found = folder.children.find((child) => child.name === name);
  if (found?.kind !== 'folder') throw new Error(`no folder ${name}`);
  return found;
}

/** Names with indentation, as the view shows them. */
function outline(folder: FolderNode, order: RetentionOrder = 'name'): string[] {
  return childrenOf(folder, order).flatMap((child) =>
    child.kind === 'file' ? [child.name] : [child.name, ...outline(child, order).map((line) => `  ${line}`)],
  );
}

describe('buildRetentionTree', () => {
  it('makes folders of paths', () => {
    const { folder } = treeOf([file('README.md'), file('src/b.ts'), file('src/a.ts'), file('src/sub/c.ts')]);
    expect(outline(folder)).toEqual(['src', '  sub', '    c.ts', '  a.ts', '  b.ts', 'README.md']);
  });

  it('makes one of folders that hold one folder and nothing else', () => {
    const { folder } = treeOf([file('src/main/java/A.java'), file('src/main/java/B.java'), file('x')]);
    expect(outline(folder)).toEqual(['src/main/java', '  A.java', '  B.java', 'x']);
    expect(folderIn(folder, 'src/main/java').path).toBe('src/main/java');
  });

  it('weighs shares of folders by tokens', () => {
    const { folder } = treeOf([file('src/a', 0.1, 300), file('src/b', 0.5, 100), file('c', 0.9, 0)]);
    expect(folderIn(folder, 'src').kept).toBeCloseTo(0.2);
    expect(folder.kept).toBeCloseTo(0.2);
    expect(folder.tokens).toBe(400);
  });

  it('marks files that changed and counts them in their folders', () => {
    const { folder } = treeOf(
      [file('src/a'), file('src/b'), file('c')],
      [
        { path: 'src/a', change: 'modified' },
        { path: 'src/new/d', change: 'added' },
      ],
    );
    const src = folderIn(folder, 'src');
    expect(src.changed).toBe(2);
    expect(src.children.find(({ name }) => name === 'a')).toMatchObject({ change: 'modified', kept: 0.5 });
    expect(folderIn(src, 'new').children).toMatchObject([{ name: 'd', change: 'added', kept: 0, tokens: 0 }]);
    expect(folder.files).toBe(4);
  });

  it('lists what was skipped by path', () => {
    const skipped: SkippedFile[] = [
      { path: 'b.png', reason: 'binary', detail: '' },
      { path: 'a.lock', reason: 'lock-file', detail: '' },
    ];
    expect(treeOf([file('c')], [], skipped).skipped?.files.map(({ path }) => path)).toEqual(['a.lock', 'b.png']);
    expect(treeOf([file('c')]).skipped).toBeUndefined();
  });

  it('makes a tree of nothing', () => {
    expect(treeOf([]).folder).toMatchObject({ kept: 0, tokens: 0, children: [] });
  });

  it('keeps names apart that objects have of their own', () => {
    expect(outline(treeOf([file('__proto__/constructor'), file('toString')]).folder)).toEqual([
      '__proto__',
      '  constructor',
      'toString',
    ]);
  });
});

describe('childrenOf', () => {
  const { folder } = treeOf([file('z/last', 0.9), file('file10', 0.1), file('file2', 0.3), file('A', 0.2)]);

  it.each([
    ['name', ['z', '  last', 'A', 'file2', 'file10']],
    ['share', ['z', '  last', 'file2', 'A', 'file10']],
    ['reading', ['z', '  last', 'file10', 'file2', 'A']],
  ] as const)('sorts by %s', (order, expected) => {
    expect(outline(folder, order)).toEqual(expected);
  });
});

describe('wayTo', () => {
  const root = treeOf([file('src/main/a'), file('src/main/deep/b'), file('srcs/c')]);

  it('names the nodes from the top to a file', () => {
    expect(wayTo(root, 'src/main/deep/b')?.map(({ path }) => path)).toEqual([
      'src/main',
      'src/main/deep',
      'src/main/deep/b',
    ]);
  });

  it('ends at a folder that is asked for', () => {
    expect(wayTo(root, 'src/main/deep')?.map(({ name }) => name)).toEqual(['src/main', 'deep']);
  });

  it('finds no way to what is not in the tree', () => {
    expect(wayTo(root, 'src/main/nothing')).toBeUndefined();
    expect(wayTo(root, 'elsewhere')).toBeUndefined();
  });
});

describe('a repository of 50,000 files', () => {
  it('becomes a tree with every file in it', () => {
    const files = Array.from({ length: 50_000 }, (_, index) => file(`d${index % 200}/e${index % 7}/f${index}`));
    const start = performance.now();
    const { folder } = treeOf(files);
    console.log(`a tree of 50,000 files: ${Math.round(performance.now() - start)} ms`);
    expect(folder.files).toBe(50_000);
    expect(folder.children).toHaveLength(200);
  });
});
