import { expect, it } from 'vitest';
import { readingIdentity } from '../../../../server/memory/keeping/cache-files.js';
import type { MemoryPlan } from '../../../../server/memory/planning/plan.js';
import { nano } from '../repository-under-test.js';

const plan: MemoryPlan = {
  cache: { budget: 256, chunk: 64, stabilizers: 32, pinned: 7, capacity: 1024 },
  local: 16,
  window: 1024,
  policy: 'locret',
  structure: 'headers',
  heads: '/models/heads.safetensors',
  precision: 'int8',
  threads: 2,
  headLabels: undefined,
  cachePrecision: 'full',
  backend: {
    name: 'cpu',
    reason: 'it was chosen',
    deviceName: 'processor',
    place: 'the processor',
    options: undefined,
    snapshotForm: {},
  },
  bytes: { weights: 1, packing: 1, cache: 1, activations: 1, program: 1, peak: 1, free: 1 },
  notices: [],
};
/** In the order of neither the text nor the settings. */
const options = { exclude: ['dist/'], maxFileBytes: 1 << 20, include: ['src/'] };

async function identityOf(changes: Partial<MemoryPlan>): Promise<string> {
  const model = { ...(await nano()), place: '/models/m' };
  return readingIdentity({ root: '/repo', model, plan: { ...plan, ...changes }, options });
}

it('finds memories by the text that earlier versions wrote', async () => {
  expect(await identityOf({})).toBe(
    '{"root":"/repo","model":"/models/m","heads":"/models/heads.safetensors","policy":"locret","structure":"headers",' +
      '"precision":"int8","budget":256,"chunk":64,"stabilizers":32,"pinned":7,"local":16,' +
      '"beginning":"e3b0c44298fc1c149afb","maxFileBytes":1048576,"include":["src/"],"exclude":["dist/"]}',
  );
});

it('tells a GPU and uneven budgets, as earlier versions did', async () => {
  const cache = { ...plan.cache, uneven: { allocation: 'pyramid', longest: 400 } } as const;
  const backend = { ...plan.backend, name: 'cuda', snapshotForm: { backend: 'cuda', cachePrecision: 'int8' } } as const;
  const told = await identityOf({ cache, backend, heads: undefined });
  expect(told).toContain('"uneven":{"allocation":"pyramid","longest":400},"beginning":');
  expect(told).toContain('","backend":"cuda","cachePrecision":"int8","maxFileBytes":');
  expect(told).not.toContain('"heads"');
});
