import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import type { CachePlan, Engine, EngineOptions, LayerCache } from '../../../server/engine/engine.js';
import { createProcessorEngine } from '../../../server/backends/processor/engine.js';
import { LocretError } from '../../../server/errors.js';
import { readRepository } from '../../../server/memory/reading/reading.js';
import type { ReadMemory } from '../../../server/memory/contents/repository-memory.js';
import { openModel, type LoadedModel } from '../../../server/model/model.js';
import type { SurveyOptions } from '../../../server/repository/source.js';
import { surveyRepository } from '../../../server/repository/survey.js';

export const nanoFolder = fileURLToPath(new URL('../../../models/nano', import.meta.url));
export const surveyOptions: SurveyOptions = { maxFileBytes: 1 << 20, exclude: [], include: [] };
/** Sizes as the nano model was trained with, but smaller, so that a small repository evicts. */
export const smallCache: CachePlan = { budget: 96, chunk: 64, stabilizers: 16, pinned: 0, capacity: 512 };
export const smallLocal = 8;

const folders: string[] = [];
const engines: Engine[] = [];
const packedWeights = mkdtempSync(path.join(tmpdir(), 'locret-packed-'));

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

afterAll(() => {
  rmSync(packedWeights, { recursive: true, force: true });
});

/** A new empty folder; removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'locret-memory-'));
  folders.push(folder);
  return folder;
}

let writes = 0;

/** Writes a file of a repository, with a modification time of its own. */
export function writeSource(root: string, filePath: string, text: string): void {
  const file = path.join(root, filePath);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  writes += 1;
  utimesSync(file, 1_700_000_000 + writes, 1_700_000_000 + writes);
}

/** A repository on disk; removed after the test. */
export function repository(sources: Readonly<Record<string, string>>): string {
  const root = path.join(temporaryFolder(), 'fixture');
  mkdirSync(root);
  for (const [filePath, text] of Object.entries(sources)) writeSource(root, filePath, text);
  return root;
}

/** A source file with some functions, all named after it. */
export function sourceOf(name: string, functions = 3): string {
  const texts = Array.from(
    { length: functions },
    (_, i) =>
      `/** Does ${name} ${i}. */\nexport function ${name}${i}(value: number): number {\n  return value + ${i};\n}\n`,
  );
  return texts.join('\n');
}

let nanoModel: Promise<LoadedModel> | undefined;

export function nano(): Promise<LoadedModel> {
  nanoModel ??= openModel(nanoFolder);
  return nanoModel;
}

/** The bundled model in an engine of this thread; disposed after the test. */
export async function nanoEngine(plan: Partial<CachePlan> = {}, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const { locret } = await nano();
  const engine = await createProcessorEngine({
    model: nanoFolder,
    policy: 'locret',
    precision: 'float32',
    threads: 1,
    cacheFolder: packedWeights,
    plan: { ...smallCache, ...plan },
    ...(locret.heads === undefined ? {} : { heads: locret.heads }),
    ...options,
  });
  engines.push(engine);
  return engine;
}

/** Reads a repository into an engine, with the bundled model's own form. */
export async function readInto(engine: Engine, root: string): Promise<ReadMemory> {
  return readRepository({
    engine,
    model: await nano(),
    survey: await surveyRepository(root, surveyOptions),
    options: surveyOptions,
    local: smallLocal,
  });
}

/** The error that a promise is refused with. */
export async function refusalOf(promise: Promise<unknown>): Promise<LocretError> {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (outcome instanceof LocretError) return outcome;
  throw new Error('this was not refused with a LocretError', { cause: outcome });
}

/** Every layer's cache. */
export async function wholeCache(engine: Engine): Promise<LayerCache[]> {
  const layers: LayerCache[] = [];
  for (let layer = 0; layer < engine.description.shape.layers.length; layer++)
    layers.push(await engine.exportLayer(layer));
  return layers;
}
