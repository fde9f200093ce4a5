import { rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../../server/engine/engine.js';
import type { ReadMemory } from '../../../../server/memory/contents/repository-memory.js';
import { updateMemory } from '../../../../server/memory/reading/update.js';
import {
  nanoEngine,
  readInto,
  refusalOf,
  repository,
  smallCache,
  sourceOf,
  wholeCache,
  writeSource,
} from '../repository-under-test.js';

let engine: Engine;
let root: string;
let memory: ReadMemory;

beforeEach(async () => {
  engine = await nanoEngine();
  const names = ['alpha', 'beta', 'gamma', 'delta', 'eta'];
  root = repository(Object.fromEntries(names.map((name) => [`${name}.ts`, sourceOf(name)])));
  memory = await readInto(engine, root);
});

async function update(): Promise<ReadMemory> {
  const updated = await updateMemory({ memory });
  if (updated === undefined) throw new Error('this should be little enough for an update');
  return updated;
}

const filesOf = ({ files }: ReadMemory): string[] => files.map(({ file }) => file.path);

/** Token indices that any KV head of any layer holds. */
async function heldTokens(): Promise<Set<number>> {
  return new Set((await wholeCache(engine)).flatMap(({ tokenIndices }) => [...tokenIndices]));
}

describe('updating a memory', () => {
  it('returns the same memory when nothing changed, also when files were only touched', async () => {
    utimesSync(path.join(root, 'alpha.ts'), 1_800_000_000, 1_800_000_000);
    const before = await wholeCache(engine);
    expect(await update()).toBe(memory);
    expect(await wholeCache(engine)).toEqual(before);
  });

  it('forgets every unit of the old version and reads the new one behind the others', async () => {
    const [old] = memory.files.filter(({ file }) => file.path === 'beta.ts');
    writeSource(root, 'beta.ts', sourceOf('better', 2));
    const updated = await update();
    expect(updated.source).toBe('update');
    expect(filesOf(updated)).toEqual(['alpha.ts', 'delta.ts', 'eta.ts', 'gamma.ts', 'beta.ts']);
    const next = updated.files.at(-1);
    expect(next?.begin).toBe(memory.tokensRead);
    const held = await heldTokens();
    for (let token = old?.begin ?? 0; token < (old?.end ?? 0); token++) expect(held.has(token)).toBe(false);
    expect([...held].some((token) => token >= (next?.begin ?? Infinity))).toBe(true);
    expect(Math.max(...held)).toBeLessThan(next?.end ?? 0);
  });

  it('keeps within the budget', async () => {
    writeSource(root, 'beta.ts', sourceOf('better'));
    await update();
    expect((await engine.stats()).length).toBeLessThanOrEqual(smallCache.budget);
  });

  it('knows where the tokens of the new version stand, and no more those of the old one', async () => {
    const [old] = memory.files.filter(({ file }) => file.path === 'beta.ts');
    writeSource(root, 'beta.ts', `// moved down\n\n${sourceOf('beta')}`);
    const updated = await update();
    expect(updated.locate(old?.begin ?? 0)).toBeUndefined();
    const last = updated.files.at(-1);
    expect(updated.locate((last?.end ?? 0) - 1)).toMatchObject({ path: 'beta.ts', line: 16 });
    expect(updated.locate(memory.files[0]?.begin ?? 0)).toEqual({ path: 'alpha.ts', line: 1, column: 1 });
  });

  it('has the definitions of the new version in a list of its own', async () => {
    writeSource(root, 'beta.ts', sourceOf('better', 1));
    writeSource(root, 'zeta.ts', sourceOf('zeta', 1));
    const before = memory.definitions;
    const { definitions } = await update();
    expect(memory.definitions).toBe(before);
    expect(definitions.map(({ name }) => name)).toEqual(
      ['alpha', 'delta', 'eta', 'gamma']
        .flatMap((name) => [0, 1, 2].map((i) => `${name}${i}`))
        .concat('better0', 'zeta0'),
    );
  });

  it('reads what was added and forgets what was removed', async () => {
    writeSource(root, 'zeta.ts', sourceOf('zeta', 1));
    rmSync(path.join(root, 'gamma.ts'));
    const updated = await update();
    expect(filesOf(updated)).toEqual(['alpha.ts', 'beta.ts', 'delta.ts', 'eta.ts', 'zeta.ts']);
    expect(updated.survey.files.map((file) => file.path).sort()).toEqual(filesOf(updated).sort());
    expect(updated.coverage()).toMatchObject({ filesRead: 5, changed: [] });
  });

  it('forgets what was removed when there is nothing to read', async () => {
    const [old] = memory.files.filter(({ file }) => file.path === 'gamma.ts');
    rmSync(path.join(root, 'gamma.ts'));
    const updated = await update();
    const held = await heldTokens();
    for (let token = old?.begin ?? 0; token < (old?.end ?? 0); token++) expect(held.has(token)).toBe(false);
    expect(updated.tokensRead).toBe(memory.tokensRead - (old?.end ?? 0) + (old?.begin ?? 0));
  });

  it('has nothing left to update afterwards, and can be updated again', async () => {
    writeSource(root, 'beta.ts', sourceOf('better'));
    memory = await update();
    expect(await memory.detectChanges()).toEqual([]);
    writeSource(root, 'beta.ts', sourceOf('best'));
    const again = await update();
    expect(again.files.at(-1)?.begin).toBeGreaterThanOrEqual(memory.files.at(-1)?.end ?? Infinity);
    expect(again.definitions.filter(({ path: file }) => file === 'beta.ts').map(({ name }) => name)).toEqual([
      'best0',
      'best1',
      'best2',
    ]);
  });

  it('counts a file that is no text any more as skipped', async () => {
    writeSource(root, 'beta.ts', 'binary\0now');
    const updated = await update();
    expect(filesOf(updated)).not.toContain('beta.ts');
    expect(updated.coverage().skipped.map(({ path: name, reason }) => [name, reason])).toEqual([['beta.ts', 'binary']]);
  });

  it('touches nothing and advises a fresh read when more than a third has changed', async () => {
    writeSource(root, 'alpha.ts', sourceOf('one'));
    writeSource(root, 'beta.ts', sourceOf('two'));
    const before = await wholeCache(engine);
    expect(await updateMemory({ memory })).toBeUndefined();
    expect(await wholeCache(engine)).toEqual(before);
    expect(memory.coverage().changed).toHaveLength(2);
  });

  it('advises a fresh read when everything is gone', async () => {
    rmSync(root, { recursive: true });
    expect(await updateMemory({ memory })).toBeUndefined();
  });

  it('ends with the error "cancelled" when it is cancelled', async () => {
    writeSource(root, 'beta.ts', sourceOf('better'));
    expect((await refusalOf(updateMemory({ memory, signal: AbortSignal.abort() }))).code).toBe('cancelled');
  });
});
