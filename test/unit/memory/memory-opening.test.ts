import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../server/engine/engine.js';
import type { LocretError } from '../../../server/errors.js';
import { type MemoryHooks, MemoryOpening, type MemorySettings } from '../../../server/memory/open-memory.js';
import { loadEngine, planModel } from '../../../server/memory/planned-model.js';
import type { ReadMemory } from '../../../server/memory/repository-memory.js';
import {
  nanoFolder,
  refusalOf,
  repository,
  sourceOf,
  surveyOptions,
  temporaryFolder,
  wholeCache,
  writeSource,
} from './repository-under-test.js';

let cacheFolder: string;
let engine: Engine | undefined;
let notices: string[];
const hooks: MemoryHooks = {
  onNotice: (notice) => {
    notices.push(notice);
  },
};

beforeEach(() => {
  cacheFolder = path.join(temporaryFolder(), 'cache');
  notices = [];
});

afterEach(async () => {
  await engine?.dispose();
  engine = undefined;
});

/** A memory in the one engine of this test. */
async function openingOf(root: string): Promise<MemoryOpening> {
  const settings: MemorySettings = {
    repo: root,
    modelFolder: nanoFolder,
    survey: surveyOptions,
    cacheFolder,
    threads: 1,
    budget: 96,
    chunk: 64,
    stabilizers: 16,
  };
  const planned = await planModel(settings);
  engine ??= await loadEngine(planned, cacheFolder, () => undefined);
  return new MemoryOpening(planned, engine, settings);
}

const twoFiles = (name: string): string => repository({ 'a.ts': sourceOf(name, 30), 'b.ts': sourceOf(`other${name}`) });

describe('one engine for several repositories', () => {
  it('holds each memory in turn, while the other waits in its snapshot', async () => {
    const first = await openingOf(twoFiles('alpha'));
    const second = await openingOf(twoFiles('beta'));
    expect(first.hasSnapshot).toBe(false);
    const alpha = await first.open({}, hooks);
    const alphaCache = await wholeCache(alpha.engine);
    const beta = await second.open({}, hooks);
    const betaCache = await wholeCache(beta.engine);
    expect([first.hasSnapshot, second.hasSnapshot]).toEqual([true, true]);
    const again = await first.restore(hooks);
    expect(again?.definitions).toEqual(alpha.definitions);
    expect(await wholeCache(alpha.engine)).toEqual(alphaCache);
    expect((await second.open({}, hooks)).source).toBe('snapshot');
    expect(await wholeCache(beta.engine)).toEqual(betaCache);
    expect(notices).toEqual([]);
  });

  it('restores nothing where there is no snapshot', async () => {
    expect(await (await openingOf(twoFiles('alpha'))).restore(hooks)).toBeUndefined();
    expect(notices).toEqual([]);
  });
});

describe('updating in the background', () => {
  it('leaves it to the caller to read anew after many changes, and touches nothing', async () => {
    const root = twoFiles('alpha');
    const opening = await openingOf(root);
    const memory = await opening.open({}, hooks);
    const before = await wholeCache(memory.engine);
    writeSource(root, 'a.ts', sourceOf('changed', 30));
    expect(await opening.update(memory, hooks)).toBeUndefined();
    expect(await wholeCache(memory.engine)).toEqual(before);
    expect(notices).toEqual([]);
  });

  it('gives the same memory when nothing changed', async () => {
    const opening = await openingOf(twoFiles('alpha'));
    const memory = await opening.open({}, hooks);
    expect(await opening.update(memory, hooks)).toBe(memory);
  });

  /** Folds in a change of some chunks and cancels that after the first. */
  async function cancelledUpdate(opening: MemoryOpening, memory: ReadMemory, root: string): Promise<LocretError> {
    writeSource(root, 'b.ts', sourceOf('better', 9));
    const cancel = new AbortController();
    const onProgress = (): void => {
      cancel.abort();
    };
    return refusalOf(opening.update(memory, { ...hooks, onProgress, signal: cancel.signal }));
  }

  it('puts the memory before back when it is cancelled, and can be done again', async () => {
    const root = twoFiles('alpha');
    const opening = await openingOf(root);
    const memory = await opening.open({}, hooks);
    const before = await wholeCache(memory.engine);
    expect((await cancelledUpdate(opening, memory, root)).code).toBe('cancelled');
    expect(await wholeCache(memory.engine)).toEqual(before);
    expect((await opening.update(memory, hooks))?.source).toBe('update');
  });

  it('says so when it is cancelled and the memory has no snapshot to return to', async () => {
    const root = twoFiles('alpha');
    const opening = await openingOf(root);
    const memory = await opening.open({}, hooks);
    rmSync(path.join(cacheFolder, 'memories'), { recursive: true });
    const { code, message } = await cancelledUpdate(opening, memory, root);
    expect(code).toBe('engine-failed');
    expect(message).toContain('no snapshot to return to');
  });
});
