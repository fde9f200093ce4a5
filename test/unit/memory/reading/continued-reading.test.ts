import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ReadProgress } from '../../../../server/contract/roots.js';
import type { Engine } from '../../../../server/engine/engine.js';
import type { PartialReading } from '../../../../server/memory/reading/partial-reading.js';
import { restorePartialReading, savePartialReading } from '../../../../server/memory/keeping/partial-snapshot.js';
import { readRepository, type ReadingInput } from '../../../../server/memory/reading/reading.js';
import type { ReadMemory } from '../../../../server/memory/contents/repository-memory.js';
import { surveyRepository } from '../../../../server/repository/survey.js';
import {
  nano,
  nanoEngine,
  refusalOf,
  repository,
  smallLocal,
  sourceOf,
  surveyOptions,
  temporaryFolder,
  wholeCache,
  writeSource,
} from '../repository-under-test.js';

const chunk = 16;
const identity = 'this repository, these settings';
const sources = {
  'README.md': '# Fixture\n\nÄ 語 🙂 and more.\n',
  'a.txt': 'one\n',
  'b.txt': 'two\n',
  'c.ts': sourceOf('gamma', 2),
  // Many chunks long.
  'long.ts': sourceOf('long', 9),
  'z.ts': sourceOf('zeta', 2),
  'zz.csv': `${'='.repeat(400)}\nlast\n`,
};

let root: string;
let engine: Engine;
let file: string;

beforeEach(async () => {
  root = repository(sources);
  engine = await nanoEngine({ chunk });
  file = path.join(temporaryFolder(), 'fixture.partial-memory');
});

async function read(input: Partial<ReadingInput> = {}): Promise<ReadMemory> {
  const survey = await surveyRepository(root, surveyOptions);
  const defaults = { engine, model: await nano(), survey, options: surveyOptions, local: smallLocal };
  return readRepository({ ...defaults, ...input });
}

/** Reads from where a saved reading stopped, if there is one, until so many tokens are read; saves what was read. */
async function readUntil(tokens: number, input: Partial<ReadingInput> = {}): Promise<PartialReading> {
  const cancel = new AbortController();
  let kept: PartialReading | undefined;
  const reading = read({
    ...input,
    onProgress: ({ tokensRead }) => {
      if (tokensRead >= tokens) cancel.abort();
    },
    signal: cancel.signal,
    keeper: {
      isDue: () => false,
      keep: async (partial, progress) => {
        kept = partial;
        await savePartialReading(file, engine, partial, progress, identity);
      },
    },
  });
  expect((await refusalOf(reading)).code).toBe('cancelled');
  if (kept === undefined) throw new Error('nothing was kept');
  return kept;
}

/** Goes on from the saved reading, in an engine that held something else. */
async function goOn(input: Partial<ReadingInput> = {}): Promise<ReadMemory> {
  await engine.reset();
  await engine.extend([5, 6, 7], { evict: 'none' });
  return read({ ...input, partial: await restorePartialReading(file, engine, identity) });
}

/** Everything that a memory is, apart from when it was made; of the cache a digest of all its bits. */
async function everythingOf(memory: ReadMemory) {
  const { length, nextTokenIndex } = await engine.stats();
  const { made, ...content } = memory.content;
  expect(made).toBeGreaterThan(0);
  const cache = createHash('sha256');
  for (const layer of await wholeCache(engine)) {
    for (const numbers of [layer.keys, layer.values, layer.scores, layer.tokenIndices]) cache.update(numbers);
  }
  return { content, coverage: memory.coverage(), cache: cache.digest('hex'), length, nextTokenIndex };
}

const filesOf = ({ files }: ReadMemory): string[] => files.map((read) => read.file.path);

describe('a reading that was interrupted and goes on', () => {
  it('gives bit by bit the same memory, after whichever chunk it was interrupted', async () => {
    const expected = await everythingOf(await read());
    const chunks = Math.floor((expected.nextTokenIndex - smallLocal - 1) / chunk);
    expect(chunks).toBeGreaterThan(25);
    const insides = new Set<string | undefined>();
    for (let stop = 1; stop <= chunks; stop++) {
      const partial = await readUntil(stop * chunk);
      expect(partial.nextTokenIndex).toBe(stop * chunk);
      insides.add(partial.open?.file?.path);
      expect(await everythingOf(await goOn()), `interrupted after ${stop} chunks`).toEqual(expected);
    }
    expect([...insides]).toEqual(expect.arrayContaining(['README.md', 'long.ts', 'z.ts']));
  });

  it('gives the same memory when it is interrupted after every chunk', async () => {
    const expected = await everythingOf(await read());
    let partial = await readUntil(chunk);
    const last = expected.nextTokenIndex - smallLocal - chunk;
    while (partial.nextTokenIndex < last) {
      const restored = await restorePartialReading(file, engine, identity);
      expect(restored).toEqual(partial);
      partial = await readUntil(restored.nextTokenIndex + 1, { partial: restored });
    }
    expect(await everythingOf(await goOn())).toEqual(expected);
  });

  it('gives the same memory from what was kept while it went on', async () => {
    const saved: string[] = [];
    const keeper: ReadingInput['keeper'] = {
      isDue: () => true,
      keep: async (partial, progress) => {
        saved.push(`${file}-${saved.length}`);
        await savePartialReading(saved.at(-1) ?? '', engine, partial, progress, identity);
      },
    };
    const expected = await everythingOf(await read({ keeper }));
    expect(saved.length).toBeGreaterThan(3);
    for (file of saved) expect(await everythingOf(await goOn())).toEqual(expected);
  });

  it('gives the same memory when it was interrupted in what stands before all files', async () => {
    const known = await nano();
    const model = { ...known, locret: { ...known.locret, instructions: 'Answer with care. '.repeat(20) } };
    const expected = await everythingOf(await read({ model }));
    const partial = await readUntil(chunk, { model });
    expect(partial).toMatchObject({ open: { file: undefined, begin: 0 }, nextTokenIndex: chunk, tokensRead: chunk });
    expect(await everythingOf(await goOn({ model }))).toEqual(expected);
  });

  it('keeps nothing when it was interrupted before the first chunk', async () => {
    const kept: PartialReading[] = [];
    const keeper: ReadingInput['keeper'] = {
      isDue: () => true,
      keep: (partial) => {
        kept.push(partial);
        return Promise.resolve();
      },
    };
    expect((await refusalOf(read({ keeper, signal: AbortSignal.abort() }))).code).toBe('cancelled');
    expect(kept).toEqual([]);
  });

  it('took the seconds of all its parts', async () => {
    const { seconds } = await readUntil(5 * chunk);
    expect((await goOn()).seconds).toBeGreaterThan(seconds);
  });
});

describe('files that changed before a reading goes on', () => {
  /** Where long.ts is in the middle of being read. */
  const inLong = 24 * chunk;

  it('and were read whole stay as they were read, and are found to have changed', async () => {
    expect((await readUntil(inLong)).open?.file?.path).toBe('long.ts');
    writeSource(root, 'c.ts', sourceOf('changed', 1));
    rmSync(path.join(root, 'a.txt'));
    const memory = await goOn();
    expect(filesOf(memory)).toEqual(Object.keys(sources));
    expect(memory.definitions.map(({ name }) => name)).toContain('gamma1');
    expect(memory.survey.files.map(({ path: name }) => name)).toEqual(Object.keys(sources));
    expect(memory.survey.files.map(({ hash }) => hash)).toEqual(memory.files.map((read) => read.file.hash));
    expect(await memory.detectChanges()).toEqual([
      { path: 'a.txt', change: 'removed' },
      { path: 'c.ts', change: 'modified' },
    ]);
    expect(memory.coverage()).toMatchObject({ filesRead: 7, skipped: [] });
  });

  it('and had been begun are forgotten and read from their beginning', async () => {
    const { open, nextTokenIndex } = await readUntil(inLong);
    const begun = open?.begin ?? NaN;
    writeSource(root, 'long.ts', sourceOf('longer', 7));
    const memory = await goOn();
    expect(filesOf(memory)).toEqual(Object.keys(sources));
    const long = memory.files.find((read) => read.file.path === 'long.ts');
    expect(long?.begin).toBe(nextTokenIndex);
    const held = new Set((await wholeCache(engine)).flatMap(({ tokenIndices }) => [...tokenIndices]));
    for (let token = begun; token < nextTokenIndex; token++) expect(held.has(token)).toBe(false);
    expect(memory.locate(begun)).toBeUndefined();
    expect(memory.locate(nextTokenIndex)).toEqual({ path: 'long.ts', line: 1, column: 1 });
    expect(memory.definitions.map(({ name }) => name)).toContain('longer6');
    expect(memory.tokensRead).toBe(memory.content.nextTokenIndex - (nextTokenIndex - begun));
    expect(await memory.detectChanges()).toEqual([]);
  });

  it('and had been begun are read from their beginning also when only their time is another', async () => {
    const { nextTokenIndex } = await readUntil(inLong);
    writeSource(root, 'long.ts', sources['long.ts']);
    const long = (await goOn()).files.find((read) => read.file.path === 'long.ts');
    expect(long?.begin).toBe(nextTokenIndex);
  });

  it('and had been begun are forgotten when they are gone', async () => {
    const { open, nextTokenIndex } = await readUntil(inLong);
    rmSync(path.join(root, 'long.ts'));
    const memory = await goOn();
    expect(filesOf(memory)).toEqual(Object.keys(sources).filter((name) => name !== 'long.ts'));
    expect(memory.survey.files).toHaveLength(6);
    const held = new Set((await wholeCache(engine)).flatMap(({ tokenIndices }) => [...tokenIndices]));
    for (let token = open?.begin ?? 0; token < nextTokenIndex; token++) expect(held.has(token)).toBe(false);
    expect(await memory.detectChanges()).toEqual([]);
  });

  it('and had been begun are forgotten when nothing else is left to read', async () => {
    const { open, nextTokenIndex } = await readUntil(inLong);
    for (const name of ['long.ts', 'z.ts', 'zz.csv']) rmSync(path.join(root, name));
    const memory = await goOn();
    expect(filesOf(memory)).toEqual(['README.md', 'a.txt', 'b.txt', 'c.ts']);
    expect(memory.tokensRead).toBe(open?.begin);
    expect(memory.content.nextTokenIndex).toBe(nextTokenIndex);
  });

  it('and had not been read are read as they are now, new ones too, and those that are gone are left out', async () => {
    await readUntil(inLong);
    writeSource(root, 'z.ts', sourceOf('new', 1));
    writeSource(root, 'b.md', 'An added file that stands before others.\n');
    rmSync(path.join(root, 'zz.csv'));
    const memory = await goOn();
    expect(filesOf(memory)).toEqual(['README.md', 'a.txt', 'b.txt', 'c.ts', 'long.ts', 'b.md', 'z.ts']);
    expect(memory.definitions.map(({ name }) => name)).toContain('new0');
    expect(memory.coverage()).toMatchObject({ filesRead: 7, skipped: [] });
    expect(await memory.detectChanges()).toEqual([]);
  });

  it('do no harm when it is interrupted again right after one of them was forgotten', async () => {
    const { open } = await readUntil(inLong);
    writeSource(root, 'long.ts', sourceOf('longer', 9));
    const again = await readUntil((open?.begin ?? 0) + 1, {
      partial: await restorePartialReading(file, engine, identity),
    });
    expect(again).toMatchObject({ open: { begin: inLong }, nextTokenIndex: inLong + chunk });
    const memory = await goOn();
    expect(filesOf(memory)).toEqual(Object.keys(sources));
    const [first] = memory.files;
    const inFiles = memory.files.reduce((sum, { begin, end }) => sum + end - begin, 0);
    expect(memory.tokensRead).toBe((first?.begin ?? 0) + inFiles);
    expect(await memory.detectChanges()).toEqual([]);
  });

  it('and could not be read are tried again', async () => {
    const survey = await surveyRepository(root, surveyOptions);
    rmSync(path.join(root, 'a.txt'));
    rmSync(path.join(root, 'b.txt'));
    const { skipped } = await readUntil(inLong, { survey });
    expect(skipped.map(({ path: name, reason }) => [name, reason])).toEqual([
      ['a.txt', 'vanished'],
      ['b.txt', 'vanished'],
    ]);
    writeSource(root, 'b.txt', 'two again\n');
    const memory = await goOn();
    expect(filesOf(memory)).toContain('b.txt');
    expect(memory.coverage().skipped.map(({ path: name }) => name)).toEqual(['a.txt']);
  });
});

describe('the progress of a reading that goes on', () => {
  it('begins behind where it stopped, goes up, and ends with everything', async () => {
    const partial = await readUntil(24 * chunk);
    const reports: ReadProgress[] = [];
    const memory = await goOn({ onProgress: (progress) => reports.push(progress) });
    expect(reports[0]).toMatchObject({ files: 7, bytes: memory.survey.bytes });
    expect(reports[0]?.tokensRead).toBe(partial.nextTokenIndex + chunk);
    for (const field of ['tokensRead', 'filesRead', 'bytesRead'] as const) {
      const values = reports.map((report) => report[field]);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
    expect(reports.at(-1)).toMatchObject({
      filesRead: 7,
      tokensRead: memory.tokensRead,
      bytesRead: memory.survey.bytes,
    });
  });
});
