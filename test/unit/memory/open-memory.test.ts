import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryHooks, MemorySettings } from '../../../server/memory/open-memory.js';
import { openMemory, type OpenedMemory } from './opened-memory.js';
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

let root: string;
let cacheFolder: string;
let notices: string[];
let progress: number;
let onProgress: () => void;
const opened: OpenedMemory[] = [];

beforeEach(() => {
  root = repository({
    'a.ts': sourceOf('alpha'),
    'b.ts': sourceOf('beta'),
    'c.ts': sourceOf('gamma'),
    'd.ts': sourceOf('delta'),
  });
  cacheFolder = path.join(temporaryFolder(), 'cache');
  notices = [];
  progress = 0;
  onProgress = () => undefined;
});

afterEach(async () => {
  for (const { engine } of opened.splice(0)) await engine.dispose();
});

async function open(
  how: Parameters<typeof openMemory>[1] = {},
  settings: Partial<MemorySettings> = {},
  hooks: MemoryHooks = {},
): Promise<OpenedMemory> {
  const memory = await openMemory(
    { repo: root, model: nanoFolder, survey: surveyOptions, cacheFolder, threads: 1, ...settings },
    how,
    {
      onNotice: (notice) => {
        notices.push(notice);
      },
      onProgress: () => {
        progress += 1;
        onProgress();
      },
      ...hooks,
    },
  );
  opened.push(memory);
  return memory;
}

const memories = (): string => path.join(cacheFolder, 'memories');

function onlySnapshot(): string {
  const names = readdirSync(memories());
  expect(names).toHaveLength(1);
  return path.join(memories(), names[0] ?? '');
}

describe('opening a memory', () => {
  it('reads the first time, and restores the same cache the second time without reading', async () => {
    const first = await open();
    expect(first.memory.source).toBe('read');
    const cache = await wholeCache(first.engine);
    progress = 0;
    const second = await open();
    expect(second.memory.source).toBe('snapshot');
    expect(progress).toBe(0);
    expect(await wholeCache(second.engine)).toEqual(cache);
    expect(second.memory.definitions).toEqual(first.memory.definitions);
    expect(notices).toEqual([]);
  });

  it('keeps a snapshot for each repository and settings', async () => {
    await open();
    expect((await open({}, { budget: 128 })).memory.source).toBe('read');
    expect((await open({}, { survey: { ...surveyOptions, exclude: ['a.ts'] } })).memory.source).toBe('read');
    root = repository({ 'a.ts': sourceOf('alpha') });
    expect((await open()).memory.source).toBe('read');
    expect(readdirSync(memories())).toHaveLength(4);
  });

  it('reads again when it is told to', async () => {
    await open();
    expect((await open({ fresh: true })).memory.source).toBe('read');
  });

  it('names a damaged snapshot once, reads again, and leaves a whole one', async () => {
    await open();
    const file = onlySnapshot();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length >> 1));
    expect((await open()).memory.source).toBe('read');
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(file);
    expect((await open()).memory.source).toBe('snapshot');
    expect(notices).toHaveLength(1);
  });

  it('does not take the snapshot of another repository for its own', async () => {
    await open();
    const mine = onlySnapshot();
    const bytes = readFileSync(mine);
    rmSync(mine);
    root = repository({ 'other.ts': sourceOf('other') });
    await open();
    const other = onlySnapshot();
    writeFileSync(other, bytes);
    const { memory } = await open();
    expect(memory.source).toBe('read');
    expect(memory.files.map(({ file }) => file.path)).toEqual(['other.ts']);
    expect(notices).toEqual([expect.stringContaining(other)]);
  });

  it('asks on without a snapshot where none can be written, and says so', async () => {
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(memories(), 'a file where a folder should be');
    expect((await open()).memory.source).toBe('read');
    expect(notices).toEqual([expect.stringContaining('snapshot cannot be written')]);
  });

  it('lets one of two read and the other wait for its snapshot', async () => {
    // The weights are packed first, and the repository is long enough for the two to meet.
    await open();
    rmSync(onlySnapshot());
    writeSource(root, 'long.ts', sourceOf('long', 100));
    const both = await Promise.all([open(), open()]);
    expect(both.map(({ memory }) => memory.source).sort()).toEqual(['read', 'snapshot']);
    expect(notices).toEqual([expect.stringMatching(/^Process \d+ is reading this repository/)]);
    expect(onlySnapshot()).toMatch(/\.memory$/);
  });
});

describe('opening a memory of files that changed', () => {
  it('restores it as it was, and the changes can be looked up', async () => {
    await open();
    writeSource(root, 'b.ts', sourceOf('better'));
    const { memory } = await open();
    expect(memory.source).toBe('snapshot');
    expect(await memory.detectChanges()).toEqual([{ path: 'b.ts', change: 'modified' }]);
  });

  it('folds them in when it is told to, and saves that', async () => {
    await open();
    writeSource(root, 'b.ts', sourceOf('better'));
    const updated = await open({ update: true });
    expect(updated.memory.source).toBe('update');
    const cache = await wholeCache(updated.engine);
    const next = await open();
    expect(next.memory.source).toBe('snapshot');
    expect(await wholeCache(next.engine)).toEqual(cache);
    expect(next.memory.definitions.map(({ name }) => name)).toContain('better0');
    expect(await next.memory.detectChanges()).toEqual([]);
  });

  it('gives the memory before back when an update is cancelled on the way', async () => {
    const first = await open({}, { chunk: 16, budget: 128, stabilizers: 8 });
    const { engine, memory } = first;
    const before = await wholeCache(engine);
    writeSource(root, 'b.ts', sourceOf('better', 9));
    const cancel = new AbortController();
    progress = 0;
    onProgress = () => {
      if (progress === 3) cancel.abort();
    };
    expect((await refusalOf(first.update(memory, cancel.signal))).code).toBe('cancelled');
    expect(progress).toBeGreaterThanOrEqual(3);
    expect(await wholeCache(engine)).toEqual(before);
  });
});

describe('opening that fails', () => {
  it('tells of an empty repository before a model is loaded', async () => {
    root = repository({});
    expect((await refusalOf(open())).code).toBe('repository-empty');
    expect(existsSync(path.join(cacheFolder, 'weights'))).toBe(false);
  });

  it('tells of a repository and a model that are not there', async () => {
    expect((await refusalOf(open({}, { repo: path.join(root, 'nowhere') }))).code).toBe('repository-not-found');
    expect((await refusalOf(open({}, { model: path.join(root, 'nowhere') }))).code).toBe('model-not-found');
  });

  it('leaves no lock and no whole snapshot when it is cancelled while reading', async () => {
    const cancel = new AbortController();
    writeSource(root, 'long.ts', sourceOf('long', 300));
    onProgress = () => {
      cancel.abort();
    };
    const opening = open({}, {}, { signal: cancel.signal });
    expect((await refusalOf(opening)).code).toBe('cancelled');
    expect(readdirSync(memories())).toEqual([expect.stringMatching(/\.partial-memory$/)]);
  });

  it('goes on the next time where reading was interrupted, and says so', async () => {
    writeSource(root, 'long.ts', sourceOf('long', 100));
    const { engine, memory } = await open({ fresh: true });
    const expected = await wholeCache(engine);
    rmSync(onlySnapshot());
    const cancel = new AbortController();
    onProgress = () => {
      cancel.abort();
    };
    await refusalOf(open({}, {}, { signal: cancel.signal }));
    onProgress = () => undefined;
    const again = await open();
    expect(again.memory.source).toBe('read');
    expect(await wholeCache(again.engine)).toEqual(expected);
    expect(again.memory.definitions).toEqual(memory.definitions);
    expect(notices).toEqual([expect.stringMatching(/^Going on where reading was interrupted: \d of 5 files\.$/)]);
    expect(onlySnapshot()).toMatch(/\.memory$/);
  });
});
