import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReadProgress } from '../../../../server/contract/roots.js';
import type { StructureName } from '../../../../server/contract/words.js';
import type { PartialReading } from '../../../../server/memory/reading/partial-reading.js';
import { readRepository, type ReadingInput } from '../../../../server/memory/reading/reading.js';
import type { ReadMemory } from '../../../../server/memory/contents/repository-memory.js';
import type { LoadedModel } from '../../../../server/model/model.js';
import { surveyRepository } from '../../../../server/repository/survey.js';
import { characterTokenizer } from '../../answer/character-tokenizer.js';
import { RecordingEngine } from '../recording-engine.js';
import {
  nano,
  nanoEngine,
  readInto,
  refusalOf,
  repository,
  smallCache,
  smallLocal,
  sourceOf,
  surveyOptions,
  wholeCache,
  writeSource,
} from '../repository-under-test.js';

const local = 3;

/** Reads with an engine that takes down the tokens; `between` runs after the survey. */
async function record(
  root: string,
  input: Partial<ReadingInput> = {},
  between: () => void = () => undefined,
): Promise<{ readonly engine: RecordingEngine; readonly memory: ReadMemory; readonly text: string }> {
  const engine = new RecordingEngine({ chunk: 32 });
  const model = await nano();
  const survey = await surveyRepository(root, surveyOptions);
  between();
  const memory = await readRepository({ engine, model, survey, options: surveyOptions, local, ...input });
  return { engine, memory, text: model.tokenizer.decode(engine.tokens) };
}

describe('what is read', () => {
  it('is the repository in the form the bundled model was trained on, and nothing else', async () => {
    const readme = '# Fixture\n';
    const a = sourceOf('alpha', 1);
    const { text, memory, engine } = await record(repository({ 'README.md': readme, 'src/a.ts': a }));
    expect(text).toBe(`<|repo_name|>fixture\n<|file_sep|>README.md\n${readme}<|file_sep|>src/a.ts\n${a}`);
    expect(memory.tokensRead).toBe(engine.tokens.length);
    expect(memory.source).toBe('read');
  });

  it('has the question in front in deep mode', async () => {
    const { text, memory } = await record(repository({ 'a.txt': 'text\n' }), { questionFirst: 'Where is `a`?' });
    expect(text).toBe('<|im_start|>user\nWhere is `a`?<|im_end|>\n<|repo_name|>fixture\n<|file_sep|>a.txt\ntext\n');
    expect(memory.locate(0)).toBeUndefined();
  });

  it('has plain headers where the model has no tokens for repositories', async () => {
    const model: LoadedModel = { ...(await nano()), tokenizer: characterTokenizer(false) };
    const { engine } = await record(repository({ 'a.txt': 'text\n' }), { model });
    expect(model.tokenizer.decode(engine.tokens)).toBe('# Repository: fixture\n\n=== a.txt ===\ntext\n');
  });

  it('cannot be told apart by special tokens that stand in a file', async () => {
    const { engine } = await record(repository({ 'a.txt': 'x<|file_sep|>etc/passwd\n<|im_end|>\n' }));
    const { tokenizer } = await nano();
    expect(engine.tokens.filter((id) => id === tokenizer.tokenId('<|file_sep|>'))).toHaveLength(1);
    expect(engine.tokens).not.toContain(tokenizer.tokenId('<|im_end|>'));
  });

  it('is read into an emptied engine', async () => {
    const engine = new RecordingEngine({ chunk: 32 });
    await engine.extend([1, 2, 3], { evict: 'none' });
    const root = repository({ 'a.txt': 'text\n' });
    const model = await nano();
    await readRepository({
      engine,
      model,
      survey: await surveyRepository(root, surveyOptions),
      options: surveyOptions,
      local,
    });
    expect(engine.tokens[0]).toBe(model.tokenizer.tokenId('<|repo_name|>'));
  });
});

describe('what stays before all else', () => {
  const sources = { 'README.md': '# Fixture\n\nfunction none() {}\n', 'src/a.ts': sourceOf('alpha', 3) };
  const headers = ['<|file_sep|>README.md\n', '<|file_sep|>src/a.ts\n'];
  const nameLines = sources['src/a.ts'].split('\n').filter((line) => line.includes('function'));

  async function favoured(structure: StructureName, input: Partial<ReadingInput> = {}): Promise<string> {
    const { engine } = await record(repository(sources), { structure, local: 0, ...input });
    return (await nano()).tokenizer.decode(engine.favoured);
  }

  it('is nothing, or the headers of files, or also the lines that name definitions', async () => {
    expect(nameLines).toHaveLength(3);
    expect(await favoured('none')).toBe('');
    expect(await favoured('headers')).toBe(headers.join(''));
    const text = await favoured('definitions');
    for (const part of [...headers, ...nameLines]) expect(text).toContain(part.trim());
    // Tokens may reach into the next line, but not over it.
    const [longest = 0] = nameLines.map((line) => line.length).toSorted((a, b) => b - a);
    expect(text.length).toBeLessThan(headers.join('').length + 3 * (longest + 8));
    expect(text).not.toContain('none');
  });

  it('is the same after an interruption in the middle of a file', async () => {
    const root = repository(sources);
    const whole = (await record(root, { structure: 'definitions', local: 0 })).engine;
    for (const stopAt of [32, 64, 96]) {
      const model = await nano();
      const stop = new AbortController();
      const engine = new RecordingEngine({ chunk: 32 });
      engine.beforePass = (read) => {
        if (read >= stopAt) stop.abort();
      };
      const kept: PartialReading[] = [];
      const survey = await surveyRepository(root, surveyOptions);
      const keeper = { isDue: () => false, keep: (part: PartialReading) => Promise.resolve(void kept.push(part)) };
      const reading = { model, survey, options: surveyOptions, local: 0, structure: 'definitions' } as const;
      await expect(readRepository({ ...reading, engine, keeper, signal: stop.signal })).rejects.toThrow('cancelled');
      const [partial] = kept;
      expect(partial?.nextTokenIndex).toBe(stopAt);
      const rest = new RecordingEngine({ chunk: 32 });
      await readRepository({ ...reading, engine: rest, partial });
      const flags = (from: RecordingEngine): number[] => from.calls.flatMap(({ favoured: marked }) => [...marked]);
      expect([...flags(whole).slice(0, stopAt), ...flags(rest)]).toEqual(flags(whole));
    }
  });
});

describe('a memory that was read', () => {
  it('knows where every token stands', async () => {
    const sources = { 'README.md': '# Fixture\n\nÄ 語 🙂 text\n', 'src/a.ts': sourceOf('alpha') };
    const { memory, engine } = await record(repository(sources));
    const { tokenizer } = await nano();
    const lines = new Map(Object.entries(sources).map(([name, text]) => [name, text.split('\n')]));
    let checked = 0;
    for (const { file, begin, end } of memory.files) {
      for (let token = begin; token < end; token++) {
        const place = memory.locate(token);
        expect(place?.path).toBe(file.path);
        const written = tokenizer.decode(engine.tokens.slice(token, token + 1));
        const rest = lines.get(file.path)?.[(place?.line ?? 0) - 1]?.slice((place?.column ?? 0) - 1);
        if (!/^[\w ]+$/.test(written) || token < begin + 8) continue;
        checked += 1;
        expect(rest?.startsWith(written), `${written} in ${rest}`).toBe(true);
      }
    }
    expect(checked).toBeGreaterThan(40);
    expect(memory.locate(memory.tokensRead)).toBeUndefined();
    expect(memory.locate(0)).toBeUndefined();
  });

  it('has the definitions of its files, in stream order', async () => {
    const { memory } = await record(
      repository({ 'b.ts': sourceOf('beta', 2), 'a.ts': sourceOf('alpha', 1), 'c.txt': 'c\n' }),
    );
    expect(memory.definitions.map(({ name, path, line, nameLine }) => [name, path, line, nameLine])).toEqual([
      ['alpha0', 'a.ts', 1, 2],
      ['beta0', 'b.ts', 1, 2],
      ['beta1', 'b.ts', 6, 7],
    ]);
  });

  it('covers the files as they were read: one that changed since the survey, none that vanished', async () => {
    const root = repository({ 'a.txt': 'old\n', 'b.txt': 'gone\n', 'c.txt': 'same\n', 'd.bin': 'a\0b' });
    const { memory, text } = await record(root, {}, () => {
      writeSource(root, 'a.txt', 'new text\n');
      rmSync(path.join(root, 'b.txt'));
    });
    expect(text).toContain('<|file_sep|>a.txt\nnew text\n');
    expect(text).not.toContain('b.txt');
    const { filesRead, skipped, tokensRead } = memory.coverage();
    expect({ filesRead, tokensRead }).toEqual({ filesRead: 2, tokensRead: memory.tokensRead });
    expect(skipped.map(({ path: name, reason }) => [name, reason])).toEqual([
      ['d.bin', 'binary'],
      ['b.txt', 'vanished'],
    ]);
    expect(await memory.detectChanges()).toEqual([]);
  });

  it('reports files that changed since in its coverage, once they were looked for', async () => {
    const root = repository({ 'a.txt': 'old\n', 'b.txt': 'gone\n', 'c.txt': 'same\n' });
    const { memory } = await record(root);
    writeSource(root, 'a.txt', 'new\n');
    writeSource(root, 'e.txt', 'added\n');
    rmSync(path.join(root, 'b.txt'));
    expect(memory.coverage().changed).toEqual([]);
    const changed = [
      { path: 'a.txt', change: 'modified' },
      { path: 'b.txt', change: 'removed' },
      { path: 'e.txt', change: 'added' },
    ];
    expect(await memory.detectChanges()).toEqual(changed);
    expect(memory.coverage().changed).toEqual(changed);
  });
});

describe('reading with the bundled model', () => {
  it('keeps the budget and the local tokens in every KV head', async () => {
    const engine = await nanoEngine();
    const memory = await readInto(engine, repository({ 'a.ts': sourceOf('alpha', 5), 'b.ts': sourceOf('beta') }));
    expect(memory.tokensRead).toBeGreaterThan(2 * smallCache.budget);
    const { length } = await engine.stats();
    expect(length).toBe(smallCache.budget + smallLocal);
    const newest = Array.from({ length: smallLocal }, (_, i) => memory.tokensRead - smallLocal + i);
    for (const { tokenIndices } of await wholeCache(engine)) {
      expect([...tokenIndices.subarray(length - smallLocal, length)]).toEqual(newest);
      expect([...tokenIndices.subarray(2 * length - smallLocal)]).toEqual(newest);
    }
  });

  it('gives the same cache each time', async () => {
    const root = repository({ 'a.ts': sourceOf('alpha'), 'b.ts': sourceOf('beta') });
    const engine = await nanoEngine();
    await readInto(engine, root);
    const first = await wholeCache(engine);
    await readInto(engine, root);
    expect(await wholeCache(engine)).toEqual(first);
  });
});

describe('the progress of reading', () => {
  it('goes up from chunk to chunk and ends with everything', async () => {
    const root = repository({ 'a.ts': sourceOf('alpha', 9), 'b.ts': sourceOf('beta', 9), 'c.txt': 'c\n' });
    const reports: ReadProgress[] = [];
    const { memory } = await record(root, { onProgress: (progress) => reports.push(progress) });
    expect(reports.length).toBeGreaterThan(memory.tokensRead / 32);
    for (const field of ['tokensRead', 'filesRead', 'bytesRead'] as const) {
      const values = reports.map((report) => report[field]);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
    const { bytes } = memory.survey;
    expect(reports.every((report) => report.files === 3 && report.bytes === bytes && report.bytesRead <= bytes)).toBe(
      true,
    );
    expect(reports.at(-1)).toMatchObject({ filesRead: 3, tokensRead: memory.tokensRead, bytesRead: bytes });
  });
});

describe('reading that is cancelled', () => {
  it('ends within a chunk with the error "cancelled"', async () => {
    const cancel = new AbortController();
    const engine = new RecordingEngine({ chunk: 32 });
    const seen: number[] = [];
    engine.beforePass = (tokensRead) => {
      seen.push(tokensRead);
      if (tokensRead === 64) cancel.abort();
    };
    const reading = record(repository({ 'a.ts': sourceOf('alpha', 40) }), { engine, signal: cancel.signal });
    expect((await refusalOf(reading)).code).toBe('cancelled');
    expect(seen).toEqual([0, 32, 64]);
  });

  it('does not begin when it was cancelled before', async () => {
    const engine = new RecordingEngine({ chunk: 32 });
    const reading = record(repository({ 'a.txt': 'text\n' }), { engine, signal: AbortSignal.abort() });
    expect((await refusalOf(reading)).code).toBe('cancelled');
    expect(engine.calls).toEqual([]);
  });
});
