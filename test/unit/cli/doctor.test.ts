import { describe, expect, it } from 'vitest';
import { diagnose, renderDiagnosis } from '../../../server/cli/doctor.js';
import type { Backend } from '../../../server/backends/backend.js';
import { cudaBackend } from '../../../server/backends/cuda/backend.js';
import { type CudaPresence, findCuda } from '../../../server/backends/cuda/devices.js';
import { processor } from '../../../server/backends/processor/backend.js';
import { cudaBinding, hasCuda } from '../../cuda-under-test.js';

const oldGpu = {
  name: 'GeForce GTX 1080',
  computeMajor: 6,
  computeMinor: 1,
  multiprocessors: 20,
  supported: false,
  totalBytes: 8 * 2 ** 30,
  freeBytes: 7.5 * 2 ** 30,
};
const unsupported: CudaPresence = {
  driverVersion: 13_020,
  devices: [oldGpu],
  usable: undefined,
  missing: { problem: 'GeForce GTX 1080 has compute capability 6.1; 8.0 is needed', remedy: 'A newer GPU is needed.' },
};

const among = (find: () => CudaPresence): readonly Backend[] => [processor, cudaBackend(find)];

describe('locret doctor', () => {
  it('shows the machine, its GPUs, what is missing and where the model runs', async () => {
    const text = renderDiagnosis(await diagnose({ model: 'nano', among: among(() => unsupported) }));
    expect(text).toMatch(/^processor {2}.+ threads · .+ of memory free$/m);
    expect(text).toMatch(/^driver {5}for CUDA up to 13\.2$/m);
    expect(text).toMatch(
      /^GPU 0 {6}GeForce GTX 1080 · compute capability 6\.1 · 7\.5 GB of 8\.0 GB free · not supported$/m,
    );
    expect(text).toMatch(/^missing {4}GeForce GTX 1080 has compute capability 6\.1; 8\.0 is needed\n {11}A newer GPU/m);
    expect(text).toMatch(/^nano runs on the processor: GeForce GTX 1080 has .*needed\.$/m);
  });

  it('says that there is no driver', async () => {
    const missing = { problem: 'no NVIDIA driver is installed', remedy: 'Install it.' };
    const found = { driverVersion: 0, devices: [], usable: undefined, missing };
    const diagnosis = await diagnose({ model: 'nano', among: among(() => found) });
    expect(diagnosis.facts).toMatchObject({ missing, devices: [], driverVersion: 0 });
    expect(diagnosis.choice).toMatchObject({ name: 'cpu', reason: missing.problem });
    expect(renderDiagnosis(diagnosis)).toMatch(/^driver {5}none found$/m);
  });

  it.skipIf(!hasCuda)('says that a GPU would be chosen, which one and why', async () => {
    const diagnosis = await diagnose({ model: 'nano', among: among(() => findCuda(cudaBinding)) });
    const text = renderDiagnosis(diagnosis);
    expect(diagnosis.facts['missing']).toBeUndefined();
    expect(text).toMatch(/^GPU 0 {6}.+ · compute capability \d+\.\d · .+ of .+ free$/m);
    expect(text).toMatch(/^nano runs on GPU 0, .+: it is there and has enough memory\.$/m);
  });

  it('refuses a model that is not there', async () => {
    await expect(diagnose({ model: 'absent', among: among(() => unsupported) })).rejects.toMatchObject({
      code: 'model-not-found',
    });
  });
});
