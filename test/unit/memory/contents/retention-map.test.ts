import { describe, expect, it, vi } from 'vitest';
import { RetentionMap } from '../../../../server/memory/contents/retention-map.js';
import { FileMapBuilder, SourceMap } from '../../../../server/memory/contents/source-map.js';
import {
  nanoEngine,
  readInto,
  refusalOf,
  repository,
  smallCache,
  smallLocal,
  sourceOf,
  wholeCache,
} from '../repository-under-test.js';

describe('the retention map', () => {
  it('tells the kept share of every file, as counting its units does', async () => {
    const engine = await nanoEngine();
    const root = repository({ 'a.ts': sourceOf('alpha'), 'b.ts': sourceOf('beta'), 'c.txt': 'a b c\n' });
    const memory = await readInto(engine, root);
    const caches = await wholeCache(engine);
    const heads = engine.description.shape.layers.length * engine.description.shape.kvHeads;
    const expected = memory.files.map(({ file, begin, end }) => {
      const tokens = caches.flatMap(({ tokenIndices }) => [...tokenIndices]);
      const kept = tokens.filter((token) => begin <= token && token < end).length;
      return { path: file.path, tokens: end - begin, kept: kept / (heads * (end - begin)) };
    });
    const retention = await memory.retention();
    expect(retention).toEqual(expected);
    const units = retention.reduce((sum, { tokens, kept }) => sum + tokens * kept, 0);
    expect(units).toBeLessThanOrEqual(smallCache.budget + smallLocal);
    expect(units).toBeGreaterThan(smallCache.budget / 2);
  });

  it('is all of a repository that is smaller than the budget', async () => {
    const engine = await nanoEngine({ budget: 400, capacity: 512 });
    const memory = await readInto(engine, repository({ 'a.ts': sourceOf('alpha') }));
    expect(await memory.retention()).toEqual([expect.objectContaining({ path: 'a.ts', kept: 1 })]);
    const lines = await memory.lineRetention('a.ts');
    expect(new Set(lines.filter((share) => !Number.isNaN(share)))).toEqual(new Set([1]));
    expect(lines).toHaveLength(sourceOf('alpha').split('\n').length - 1);
  });

  it('tells the kept share of each line, as counting its units does', async () => {
    const engine = await nanoEngine();
    const memory = await readInto(engine, repository({ 'a.ts': sourceOf('alpha', 9), 'b.ts': sourceOf('beta') }));
    const [file] = memory.files;
    const lines = await memory.lineRetention('a.ts');
    const tokensOfLine = new Map<number, number>();
    for (let token = file?.begin ?? 0; token < (file?.end ?? 0); token++) {
      const line = memory.locate(token)?.line ?? 0;
      tokensOfLine.set(line, (tokensOfLine.get(line) ?? 0) + 1);
    }
    const caches = await wholeCache(engine);
    const indices = caches.flatMap(({ tokenIndices }) => [...tokenIndices]);
    const heads = engine.description.shape.layers.length * engine.description.shape.kvHeads;
    // Line 1 shares its place with the header's tokens; every other line is compared with counting.
    for (let line = 2; line <= lines.length; line++) {
      const tokens = tokensOfLine.get(line);
      const share = lines[line - 1] ?? 0;
      if (tokens === undefined) {
        expect(share, `line ${line}`).toBeNaN();
        continue;
      }
      const kept = indices.filter((token) => {
        const place = memory.locate(token);
        return place?.path === 'a.ts' && place.line === line;
      }).length;
      expect(share, `line ${line}`).toBeCloseTo(kept / (tokens * heads), 6);
    }
    expect(tokensOfLine.size).toBeGreaterThan(lines.length / 2);
  });

  it('is remembered: it is told also while the engine holds something else', async () => {
    const engine = await nanoEngine();
    const memory = await readInto(engine, repository({ 'a.ts': sourceOf('alpha', 9), 'b.ts': sourceOf('beta') }));
    const asked = vi.spyOn(engine, 'keptUnits');
    await memory.rememberRetention();
    await engine.reset();
    const retention = await memory.retention();
    expect(Math.max(...retention.map(({ kept }) => kept))).toBeGreaterThan(0);
    expect((await memory.lineRetention('a.ts')).some((share) => share > 0)).toBe(true);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('is asked for again after the engine could not tell', async () => {
    const engine = await nanoEngine();
    const memory = await readInto(engine, repository({ 'a.txt': 'text\n' }));
    vi.spyOn(engine, 'keptUnits').mockRejectedValueOnce(new Error('busy'));
    await expect(memory.retention()).rejects.toThrow('busy');
    expect(await memory.retention()).toHaveLength(1);
  });

  it('tells lines that no token begins on, and lines behind the last token', () => {
    const file = { path: 'a.txt', bytes: 0, modified: 0, hash: '', lines: 5, language: undefined };
    const map = new FileMapBuilder(10);
    map.addHeader(2);
    // A token that spans lines 1 to 3, and two on line 4.
    map.add('a\n\nb\ncd\n', Int32Array.of(0, 5, 6), 1, 1);
    const kept = { tokenIndices: Int32Array.of(3, 11, 12, 14, 15), counts: Uint16Array.of(1, 1, 2, 1, 4) };
    const retention = new RetentionMap(kept, 4);
    const built = map.finish(file);
    expect([...retention.lines(built)]).toEqual([2 / 4, NaN, NaN, 1 / 8, NaN]);
    expect(retention.files(new SourceMap([built]))).toEqual([{ path: 'a.txt', tokens: 5, kept: 4 / 20 }]);
  });

  it('refuses a file that was not read', async () => {
    const memory = await readInto(await nanoEngine(), repository({ 'a.txt': 'text\n' }));
    const { code, message } = await refusalOf(memory.lineRetention('b.txt'));
    expect(code).toBe('invalid-argument');
    expect(message).toContain('b.txt');
  });
});
