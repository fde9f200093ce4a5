import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askMemory } from '../../../server/answer/ask.js';
import type { Engine } from '../../../server/engine/engine.js';
import type { MemorySettings } from '../../../server/memory/open-memory.js';
import { cudaBinding, hasCuda } from '../../cuda-under-test.js';
import { openMemory, type OpenedMemory } from './opened-memory.js';
import {
  nanoFolder,
  repository,
  sourceOf,
  surveyOptions,
  temporaryFolder,
  wholeCache,
  writeSource,
} from './repository-under-test.js';

const engines: Engine[] = [];
let earlier: string | undefined;

beforeEach(() => {
  earlier = process.env['LOCRET_CUDA_BINDING'];
  process.env['LOCRET_CUDA_BINDING'] = cudaBinding;
});

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose();
  if (earlier === undefined) delete process.env['LOCRET_CUDA_BINDING'];
  else process.env['LOCRET_CUDA_BINDING'] = earlier;
});

describe.skipIf(!hasCuda)('a memory on a GPU', () => {
  it('is read, asked, restored bit by bit from its snapshot, and follows changes', async () => {
    const root = repository({ 'a.ts': sourceOf('alpha', 4), 'b.ts': sourceOf('beta', 2) });
    const notices: string[] = [];
    const settings: MemorySettings = {
      repo: root,
      model: nanoFolder,
      survey: surveyOptions,
      cacheFolder: temporaryFolder(),
      threads: 1,
      backend: 'cuda',
      budget: 64,
      chunk: 64,
      stabilizers: 16,
      local: 8,
    };
    const open = async (): Promise<OpenedMemory> => {
      const opened = await openMemory(settings, {}, { onNotice: (notice) => notices.push(notice) });
      engines.push(opened.engine);
      return opened;
    };
    const ask = async ({ memory }: OpenedMemory) => {
      const answer = await askMemory(memory, {
        question: 'Where is `alpha2` defined?',
        maxTokens: 4,
        recallTokens: 48,
        sampling: { temperature: 0 },
      });
      return { text: answer.text, links: answer.citations.map(({ path, line }) => ({ path, line })) };
    };
    const read = await open();
    expect(read.engine.description.backend).toBe('cuda');
    expect(read.plan.backend).toMatchObject({ name: 'cuda', reason: 'it was chosen' });
    const cache = await wholeCache(read.engine);
    expect(cache[0]?.length).toBe(64 + 8);
    const answered = await ask(read);
    expect(answered.links[0]).toEqual({ path: 'a.ts', line: 11 });
    await read.engine.dispose();

    const restored = await open();
    expect(await wholeCache(restored.engine)).toEqual(cache);
    expect(await ask(restored)).toEqual(answered);

    writeSource(root, 'b.ts', sourceOf('gamma', 2));
    const updated = await restored.update(restored.memory);
    expect(updated.definitions.some(({ name }) => name === 'gamma1')).toBe(true);
    expect(notices).toEqual([]);
  });
});
