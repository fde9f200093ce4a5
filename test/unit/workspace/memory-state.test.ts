import { expect, it } from 'vitest';
import { MemoryOpening } from '../../../server/memory/open-memory.js';
import { planModel } from '../../../server/memory/planning/planned-model.js';
import { MemoryState } from '../../../server/workspace/memory-state.js';
import {
  nanoEngine,
  nanoFolder,
  readInto,
  repository,
  surveyOptions,
  temporaryFolder,
} from '../memory/repository-under-test.js';

it('tells that a memory was opened, also when nothing else comes after it', async () => {
  const repo = repository({ 'a.ts': 'export const a = 1;\n' });
  const engine = await nanoEngine();
  const memory = await readInto(engine, repo);
  const settings = { repo, model: nanoFolder, threads: 1, survey: surveyOptions, cacheFolder: temporaryFolder() };
  const opening = new MemoryOpening(await planModel(settings), engine, settings);
  const told: unknown[] = [];
  const state: MemoryState = new MemoryState(() => told.push(state.status(true).memory?.filesRead));
  state.opened({ memory, opening, units: 1, budget: 2 });
  expect(told).toEqual([1]);
});
