import os from 'node:os';
import { freeMemory } from '../../memory/planning/free-memory.js';
import type { Backend, Device } from '../backend.js';
import { createProcessorEngine } from './engine.js';
import { processorName } from './name.js';
import { planMemory } from './plan.js';

const device: Device = {
  plan: ({ model, settings, retaining }, reason) => planMemory(model, settings, retaining, freeMemory(), reason),
  choose: () => ({ name: processorName, options: undefined }),
};

/** onnxruntime on this machine's processor. */
export const processor: Backend = {
  name: processorName,
  detect() {
    const found = {
      name: os.cpus()[0]?.model ?? 'unknown',
      threads: os.availableParallelism(),
      freeBytes: freeMemory(),
    };
    const { name, threads, freeBytes } = found;
    return {
      facts: { processor: found },
      rows: (bytes) => [['processor', `${name} · ${threads} threads · ${bytes(freeBytes)} of memory free`]],
      device,
    };
  },
  open: createProcessorEngine,
};
