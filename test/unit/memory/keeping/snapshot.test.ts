import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Engine, LayerCache } from '../../../../server/engine/engine.js';
import type { LocretError } from '../../../../server/errors.js';
import { DefinitionTable } from '../../../../server/memory/contents/definition-table.js';
import { ReadMemory } from '../../../../server/memory/contents/repository-memory.js';
import { restoreSnapshot, saveSnapshot } from '../../../../server/memory/keeping/snapshot.js';
import { SafetensorsFile } from '../../../../server/model/safetensors.js';
import {
  nano,
  nanoEngine,
  readInto,
  refusalOf,
  repository,
  smallCache,
  smallLocal,
  sourceOf,
  temporaryFolder,
  wholeCache,
} from '../repository-under-test.js';

const identity = 'this repository, these settings';
const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };

let engine: Engine;
let memory: ReadMemory;
let file: string;

beforeEach(async () => {
  engine = await nanoEngine();
  const root = repository({
    'README.md': '# Fixture\n\nÄ 語 🙂\n',
    'src/a.ts': sourceOf('alpha'),
    'src/b.ts': sourceOf('beta'),
  });
  memory = await readInto(engine, root);
  file = path.join(temporaryFolder(), 'memories', 'fixture.memory');
});

async function answerOf(from: Engine): Promise<readonly number[]> {
  const { tokenizer } = await nano();
  await from.extend(tokenizer.encode('<|im_start|>user\nWhere is `alpha1`?<|im_end|>\n<|im_start|>assistant\n'), {
    evict: 'none',
  });
  const { tokens } = await from.generate({ maxTokens: 12, sampling: greedy, stopTokens: [] });
  return tokens;
}

/** The memory in an engine whose layers are exported in another way. */
function withExport(exportLayer: Engine['exportLayer']): ReadMemory {
  const changed: Engine = {
    description: engine.description,
    extend: (tokens, options) => engine.extend(tokens, options),
    generate: (options) => engine.generate(options),
    mark: () => engine.mark(),
    rewind: (mark) => engine.rewind(mark),
    forget: (ranges) => engine.forget(ranges),
    reset: () => engine.reset(),
    exportLayer,
    importLayers: (layers, nextTokenIndex) => engine.importLayers(layers, nextTokenIndex),
    keptUnits: () => engine.keptUnits(),
    stats: () => engine.stats(),
    dispose: () => engine.dispose(),
  };
  return new ReadMemory(changed, memory.model, memory.content, 'read', 0);
}

const restore = async (into: Engine): Promise<ReadMemory> => restoreSnapshot(file, into, await nano(), identity);

describe('a snapshot', () => {
  it('restores the cache bit by bit into another engine, with the same answer', async () => {
    const cache = await wholeCache(engine);
    expect(memory.tokensRead).toBeGreaterThan(smallCache.budget + smallLocal);
    await saveSnapshot(file, memory, identity);
    const other = await nanoEngine();
    await restore(other);
    expect(await wholeCache(other)).toEqual(cache);
    const { length, nextTokenIndex } = await engine.stats();
    expect(await other.stats()).toMatchObject({ length, nextTokenIndex });
    expect(await answerOf(other)).toEqual(await answerOf(engine));
  });

  it('restores budgets that differ bit by bit', async () => {
    const uneven = { uneven: { allocation: 'pyramid', longest: 150 } } as const;
    const from = await nanoEngine(uneven);
    const unevenMemory = await readInto(from, memory.survey.root);
    const cache = await wholeCache(from);
    expect(new Set(cache.map(({ length }) => length)).size).toBeGreaterThan(1);
    await saveSnapshot(file, unevenMemory, identity);
    const into = await nanoEngine(uneven);
    await restore(into);
    expect(await wholeCache(into)).toEqual(cache);
    expect(await into.stats()).toMatchObject({ length: (await from.stats()).length });
    expect(await answerOf(into)).toEqual(await answerOf(from));
    expect((await refusalOf(restore(engine))).code).toBe('snapshot-foreign');
  });

  it('restores what the cache stands for', async () => {
    await saveSnapshot(file, memory, identity);
    const restored = await restore(engine);
    expect(restored.source).toBe('snapshot');
    expect(restored.content).toEqual(memory.content);
    const tokens = Array.from({ length: memory.tokensRead }, (_, token) => token);
    expect(tokens.map((token) => restored.locate(token))).toEqual(tokens.map((token) => memory.locate(token)));
    expect(await restored.detectChanges()).toEqual([]);
  });

  it('is a safetensors file', async () => {
    await saveSnapshot(file, memory, identity);
    const opened = SafetensorsFile.open(file, { code: 'snapshot-corrupt', remedy: '' });
    const { length } = await engine.stats();
    expect(opened.tensors.get('layers.5.keys')?.shape).toEqual([2, length, 64]);
    opened.close();
  });

  it('of a cache without units restores an empty cache', async () => {
    await engine.reset();
    const content = { ...memory.content, definitions: new DefinitionTable(), tokensRead: 0 };
    await saveSnapshot(file, new ReadMemory(engine, memory.model, content, 'read', 0), identity);
    await restore(engine);
    expect((await engine.stats()).length).toBe(0);
  });
});

describe('a snapshot that cannot be used', () => {
  /** Restores it, expects the refusal, and that the engine is left empty. */
  async function refusal(): Promise<LocretError> {
    const error = await refusalOf(restore(engine));
    const { length, nextTokenIndex } = await engine.stats();
    expect({ length, nextTokenIndex }).toEqual({ length: 0, nextTokenIndex: 0 });
    return error;
  }

  it('is corrupt when any byte of it differs, and the message names the file', async () => {
    await saveSnapshot(file, memory, identity);
    const whole = readFileSync(file);
    const step = Math.floor(whole.length / 40);
    for (let at = 8; at < whole.length; at += step) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(file, damaged);
      const { code, message } = await refusal();
      expect(['snapshot-corrupt', 'snapshot-foreign'], `byte ${at}`).toContain(code);
      expect(message).toContain(file);
    }
  });

  it('is corrupt when it was truncated, wherever', async () => {
    await saveSnapshot(file, memory, identity);
    const whole = readFileSync(file);
    for (const length of [0, 7, 8, 1000, whole.length >> 1, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      expect((await refusal()).code, `${length} bytes`).toBe('snapshot-corrupt');
    }
  });

  it('is foreign when another model, precision or policy made it', async () => {
    await saveSnapshot(file, memory, identity);
    const other = await nanoEngine({}, { policy: 'sink-recent' });
    const { code, message } = await refusalOf(restore(other));
    expect(code).toBe('snapshot-foreign');
    expect(message).toContain(file);
  });

  it('is foreign when it is of another repository or settings', async () => {
    await saveSnapshot(file, memory, 'another repository');
    const { code, message } = await refusal();
    expect(code).toBe('snapshot-foreign');
    expect(message).toContain(file);
  });

  it('is foreign when another version of its form was written', async () => {
    await saveSnapshot(file, memory, identity);
    const older = readFileSync(file).toString('latin1').replace('locret memory 2', 'locret memory 1');
    writeFileSync(file, older, 'latin1');
    const { code, message } = await refusal();
    expect(code).toBe('snapshot-foreign');
    expect(message).toContain('locret memory 1');
  });

  it('is refused before anything is allocated when it holds more units than fit', async () => {
    await saveSnapshot(file, memory, identity);
    const { length } = await engine.stats();
    const small = await nanoEngine({ budget: 16, chunk: 8, stabilizers: 4, capacity: length - 1 });
    const { code, message } = await refusalOf(restore(small));
    expect(code).toBe('snapshot-corrupt');
    expect(message).toContain(`${length} cache units`);
  });

  it('is corrupt when it holds numbers that are not finite, though its checksum is right', async () => {
    const withNaN = withExport(async (layer): Promise<LayerCache> => {
      const cache = await engine.exportLayer(layer);
      if (layer === 3) cache.values[5] = NaN;
      return cache;
    });
    await saveSnapshot(file, withNaN, identity);
    const { code, message } = await refusal();
    expect(code).toBe('snapshot-corrupt');
    expect(message).toMatch(/layer 3.*not finite/);
  });

  it('is corrupt when it is a folder', async () => {
    mkdirSync(file, { recursive: true });
    await expect(restore(engine)).rejects.toMatchObject({ code: 'snapshot-corrupt' });
  });
});

describe('saving a snapshot', () => {
  it('leaves the earlier one untouched when it fails on the way, and nothing else', async () => {
    await saveSnapshot(file, memory, identity);
    const before = readFileSync(file);
    const failing = withExport((layer) =>
      layer === 3 ? Promise.reject(new Error('the engine is gone')) : engine.exportLayer(layer),
    );
    await expect(saveSnapshot(file, failing, identity)).rejects.toThrow('the engine is gone');
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(path.dirname(file))).toEqual(['fixture.memory']);
  });

  it('leaves the earlier one in place while it writes, and clears away what a killed process left', async () => {
    await saveSnapshot(file, memory, identity);
    const before = readFileSync(file);
    let kill: (() => void) | undefined;
    const hanging = withExport((layer) =>
      layer < 3
        ? engine.exportLayer(layer)
        : new Promise<never>((_, reject) => {
            kill = () => {
              reject(new Error('killed'));
            };
          }),
    );
    // A process that is killed while it writes gets no further than this.
    const killed = saveSnapshot(file, hanging, identity);
    await expect.poll(() => kill).toBeDefined();
    expect(readdirSync(path.dirname(file))).toHaveLength(2);
    expect(readFileSync(file).equals(before)).toBe(true);
    await restore(engine);
    await saveSnapshot(file, memory, identity);
    expect(readdirSync(path.dirname(file))).toEqual(['fixture.memory']);
    kill?.();
    await expect(killed).rejects.toThrow('killed');
  });

  it('fails with disk-full and the system’s message where it cannot write', async () => {
    const blocked = path.join(temporaryFolder(), 'a-file');
    writeFileSync(blocked, '');
    file = path.join(blocked, 'fixture.memory');
    const { code, message } = await refusalOf(saveSnapshot(file, memory, identity));
    expect(code).toBe('disk-full');
    expect(message).toContain(file);
  });

  /** Where this process may mount a small disk, as in most containers. */
  const canMount = process.platform === 'linux' && process.getuid?.() === 0;

  it.runIf(canMount)(
    'on a full disk fails with disk-full, keeps the earlier snapshot and removes its own pieces',
    async () => {
      const disk = temporaryFolder();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
      try {
        file = path.join(disk, 'fixture.memory');
        await saveSnapshot(file, memory, identity);
        const before = readFileSync(file);
        writeFileSync(path.join(disk, 'others'), Buffer.alloc(2 ** 21 - before.length - (before.length >> 1)));
        const { code, message } = await refusalOf(saveSnapshot(file, memory, identity));
        expect(code).toBe('disk-full');
        expect(message).toContain('ENOSPC');
        expect(readFileSync(file).equals(before)).toBe(true);
        expect(readdirSync(disk).sort()).toEqual(['fixture.memory', 'others']);
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );
});
