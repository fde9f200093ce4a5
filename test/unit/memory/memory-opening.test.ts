import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReadProgress } from '../../../server/contract/roots.js';
import type { Engine } from '../../../server/engine/engine.js';
import type { LocretError } from '../../../server/errors.js';
import {
  type MemoryHooks,
  MemoryOpening,
  type MemorySettings,
  type OpenHow,
} from '../../../server/memory/open-memory.js';
import { loadEngine } from '../../../server/memory/load-engine.js';
import { planModel } from '../../../server/memory/planning/planned-model.js';
import type { ReadMemory } from '../../../server/memory/contents/repository-memory.js';
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
async function openingOf(root: string, changes: Partial<MemorySettings> = {}): Promise<MemoryOpening> {
  const settings: MemorySettings = {
    repo: root,
    model: nanoFolder,
    survey: surveyOptions,
    cacheFolder,
    threads: 1,
    budget: 96,
    chunk: 64,
    stabilizers: 16,
    ...changes,
  };
  const planned = await planModel(settings);
  engine ??= await loadEngine(planned, cacheFolder, () => undefined);
  return new MemoryOpening(planned, engine, settings);
}

const twoFiles = (name: string): string => repository({ 'a.ts': sourceOf(name, 60), 'b.ts': sourceOf(`other${name}`) });

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
    const retention = await alpha.retention();
    expect(retention.reduce((sum, { tokens, kept }) => sum + tokens * kept, 0)).toBeGreaterThan(48);
    const again = await first.restore(hooks);
    expect(await again?.retention()).toEqual(retention);
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
    writeSource(root, 'a.ts', sourceOf('changed', 60));
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
    writeSource(root, 'b.ts', sourceOf('better', 25));
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

describe('a reading that is interrupted', () => {
  const expectedFiles = ['a.ts', 'b.ts', 'long.ts'];
  let root: string;
  let opening: MemoryOpening;

  beforeEach(async () => {
    root = twoFiles('alpha');
    writeSource(root, 'long.ts', sourceOf('long', 30));
    opening = await openingOf(root);
  });

  /** Opens the memory and cancels that when so many files were read; the engine ends some chunks later. */
  async function interrupt(filesRead: number, how: OpenHow = {}, onto = opening): Promise<void> {
    const cancel = new AbortController();
    const onProgress = (progress: ReadProgress): void => {
      if (progress.filesRead >= filesRead) cancel.abort();
    };
    expect((await refusalOf(onto.open(how, { ...hooks, onProgress, signal: cancel.signal }))).code).toBe('cancelled');
  }

  const filesOf = (memory: ReadMemory): string[] => memory.files.map(({ file }) => file.path);
  const memoryFiles = (ending: RegExp): string[] =>
    readdirSync(path.join(cacheFolder, 'memories')).filter((name) => ending.test(name));
  const fileOf = (ending: RegExp): string => path.join(cacheFolder, 'memories', memoryFiles(ending)[0] ?? '');
  const partial = /\.partial-memory$/;
  const whole = /\.memory$/;

  it('goes on at the next opening, also after several interruptions, and ends with the same memory', async () => {
    const undisturbed = await opening.open({}, hooks);
    const expected = await wholeCache(undisturbed.engine);
    rmSync(fileOf(whole));
    await interrupt(1);
    await interrupt(2);
    const memory = await opening.open({}, hooks);
    expect(await wholeCache(memory.engine)).toEqual(expected);
    expect({ ...memory.content, made: 0 }).toEqual({ ...undisturbed.content, made: 0 });
    expect(notices).toEqual([
      expect.stringMatching(/^Going on where reading was interrupted: [12] of 3 files\.$/),
      'Going on where reading was interrupted: 2 of 3 files.',
    ]);
    expect(memoryFiles(/./)).toEqual(memoryFiles(whole));
  });

  it('tells from disk how far it came, without a model', async () => {
    expect(opening.partialProgress()).toBeUndefined();
    await interrupt(2);
    const progress = opening.partialProgress();
    expect(progress).toMatchObject({ filesRead: 2, files: 3, tokensPerSecond: 0, secondsLeft: undefined });
    expect(progress?.tokensRead).toBeGreaterThan(500);
    expect(progress?.bytesRead).toBeLessThan(progress?.bytes ?? 0);
    expect(opening.hasSnapshot).toBe(false);
    await opening.open({}, hooks);
    expect(opening.partialProgress()).toBeUndefined();
  });

  it('is forgotten when it is dropped', async () => {
    await interrupt(2);
    await opening.dropPartial();
    expect(opening.partialProgress()).toBeUndefined();
    await opening.open({}, hooks);
    expect(notices).toEqual([]);
    await opening.dropPartial();
  });

  it('is forgotten when the repository is read from the beginning', async () => {
    await interrupt(2);
    writeSource(root, 'a.ts', sourceOf('changed', 60));
    await interrupt(2, { fresh: true });
    expect(notices).toEqual([]);
    expect(await (await opening.open({}, hooks)).detectChanges()).toEqual([]);
  });

  it('leaves the memory before it as it was, and goes on only when it is told to', async () => {
    const before = await opening.open({}, hooks);
    const cache = await wholeCache(before.engine);
    const bytes = readFileSync(fileOf(whole));
    writeSource(root, 'long.ts', sourceOf('longer', 30));
    await interrupt(2, { fresh: true });
    expect(readFileSync(fileOf(whole)).equals(bytes)).toBe(true);
    const restored = await opening.open({}, hooks);
    expect(restored.source).toBe('snapshot');
    expect(await wholeCache(restored.engine)).toEqual(cache);
    const memory = await opening.open({ resume: true }, hooks);
    expect(memory.source).toBe('read');
    expect(memory.definitions.map(({ name }) => name)).toContain('longer29');
    expect(notices).toEqual(['Going on where reading was interrupted: 2 of 3 files.']);
    expect(memoryFiles(partial)).toEqual([]);
    expect((await opening.open({ resume: true }, hooks)).source).toBe('snapshot');
  });

  it('is not made of an update', async () => {
    const memory = await opening.open({}, hooks);
    writeSource(root, 'b.ts', sourceOf('better', 25));
    const cancel = new AbortController();
    const onProgress = (): void => {
      cancel.abort();
    };
    await refusalOf(opening.update(memory, { ...hooks, onProgress, signal: cancel.signal }));
    expect(memoryFiles(partial)).toEqual([]);
  });

  it('survives an update of the memory before it', async () => {
    await opening.open({}, hooks);
    await interrupt(2, { fresh: true });
    writeSource(root, 'b.ts', sourceOf('better'));
    expect((await opening.update(await opening.open({}, hooks), hooks))?.source).toBe('update');
    expect(opening.partialProgress()).toMatchObject({ filesRead: 2 });
  });

  it('takes in what changed meanwhile when it goes on and is told to', async () => {
    await interrupt(2);
    writeSource(root, 'b.ts', sourceOf('better'));
    const memory = await opening.update(await opening.open({}, hooks), hooks);
    expect(memory?.source).toBe('update');
    expect(memory && filesOf(memory)).toEqual(['a.ts', 'long.ts', 'b.ts']);
    expect(await memory?.detectChanges()).toEqual([]);
  });

  it('is not used for other rules', async () => {
    await interrupt(2);
    const other = await openingOf(root, { survey: { ...surveyOptions, exclude: ['b.ts'] } });
    expect(other.partialProgress()).toBeUndefined();
    expect(filesOf(await other.open({}, hooks))).toEqual(['a.ts', 'long.ts']);
    expect(notices).toEqual([]);
    expect(opening.partialProgress()).toMatchObject({ filesRead: 2 });
  });

  it.each([
    ['damaged', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100)],
    [
      'of one other byte',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -200), Buffer.from([1]), bytes.subarray(-199)]),
    ],
    ['empty', () => Buffer.alloc(0)],
  ])('and is %s is named, and reading begins at the beginning', async (_, damage) => {
    await interrupt(2);
    const file = fileOf(partial);
    writeFileSync(file, damage(readFileSync(file)));
    const memory = await opening.open({}, hooks);
    expect(filesOf(memory)).toEqual(expectedFiles);
    expect(notices).toEqual([expect.stringContaining(file)]);
    expect(memoryFiles(partial)).toEqual([]);
  });

  it('is never taken for a whole memory, nor a whole memory for it', async () => {
    await interrupt(2);
    const partialFile = fileOf(partial);
    copyFileSync(partialFile, partialFile.replace(partial, '.memory'));
    expect(await opening.restore(hooks)).toBeUndefined();
    expect(notices).toEqual([expect.stringContaining('has the form "locret partial memory')]);
    notices = [];
    await opening.open({ fresh: true }, hooks);
    copyFileSync(fileOf(whole), partialFile);
    expect(opening.partialProgress()).toBeUndefined();
    expect(filesOf(await opening.open({ resume: true }, hooks))).toEqual(expectedFiles);
    expect(notices).toEqual([expect.stringContaining('has the form "locret memory')]);
  });

  it('is lost, and said to be, where it cannot be saved', async () => {
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(path.join(cacheFolder, 'memories'), 'a file where a folder should be');
    await interrupt(2);
    expect(notices).toEqual([expect.stringContaining('cannot be written')]);
  });

  it('leaves nothing half-written behind once reading has ended', async () => {
    await interrupt(2);
    const file = fileOf(partial);
    writeFileSync(`${file}.123-killed.partial`, 'of a process that was killed');
    await opening.open({}, hooks);
    expect(memoryFiles(/./)).toEqual(memoryFiles(whole));
  });
});

describe('when a memory was made', () => {
  it('is kept through its snapshot, and changes with an update', async () => {
    const root = twoFiles('alpha');
    const opening = await openingOf(root);
    const begun = Date.now();
    const memory = await opening.open({}, hooks);
    expect(memory.made).toBeGreaterThanOrEqual(begun);
    expect(memory.made).toBeLessThanOrEqual(Date.now());
    expect((await opening.restore(hooks))?.made).toBe(memory.made);
    writeSource(root, 'b.ts', sourceOf('better'));
    const updating = Date.now();
    const updated = await opening.update(memory, hooks);
    expect(updated?.made).toBeGreaterThanOrEqual(updating);
    expect((await opening.restore(hooks))?.made).toBe(updated?.made);
  });
});
