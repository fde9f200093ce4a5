import os from 'node:os';
import type { Command } from 'commander';
import type { CudaDevice } from '../backends/cuda/binding.js';
import { type CudaPresence, findCuda } from '../backends/cuda/devices.js';
import { isLocretError } from '../errors.js';
import { planWhereItRuns } from '../backends/choose-backend.js';
import { freeMemory } from '../memory/planning/free-memory.js';
import type { PlannedBackend } from '../memory/planning/plan.js';
import { resolveModel } from '../model/catalog.js';
import { openModel } from '../model/model.js';
import { readHeadsHeader } from '../model/retaining-heads.js';
import { modelFolders } from '../workspace/model-folders.js';
import { printable } from './exit.js';
import { formatBytes } from '../quantities.js';
import { oneParagraph } from './format.js';

const description = `
Shows where a model would run on this machine, and why: the NVIDIA driver, its GPUs and their free memory, the memory of
the machine, what is missing for a GPU and how to get it. Nothing is loaded.`;

/** What is there, and what would be chosen. */
export interface Diagnosis {
  readonly processor: { readonly name: string; readonly threads: number; readonly freeBytes: number };
  readonly driverVersion: number;
  readonly devices: readonly CudaDevice[];
  /** Why no GPU can be used, and what helps; absent when one can. */
  readonly missing?: { readonly problem: string; readonly remedy: string };
  readonly model: string;
  /** Where the model would run; or why it cannot. */
  readonly choice: PlannedBackend | { readonly name: 'none'; readonly reason: string; readonly remedy: string };
}

/** What of a machine is looked at. */
export interface DoctorOptions {
  /** A name that `locret models` lists, or a folder. */
  readonly model: string;
  /** Looks for GPUs. */
  readonly find?: () => CudaPresence;
}

async function choiceFor(folder: string, found: CudaPresence): Promise<Diagnosis['choice']> {
  try {
    const model = await openModel(folder);
    const { heads } = model.locret;
    const retaining = heads === undefined ? undefined : readHeadsHeader(heads, model.shape);
    return planWhereItRuns(model, { threads: os.availableParallelism() }, retaining, () => found).backend;
  } catch (error) {
    if (!isLocretError(error)) throw error;
    return { name: 'none', reason: error.message, remedy: error.remedy };
  }
}

/**
 * Looks at the machine.
 * @throws LocretError model-not-found
 */
export async function diagnose({ model, find = findCuda }: DoctorOptions): Promise<Diagnosis> {
  const folder = await resolveModel(model, modelFolders());
  const found = find();
  return {
    processor: {
      name: os.cpus()[0]?.model ?? 'unknown',
      threads: os.availableParallelism(),
      freeBytes: freeMemory(),
    },
    driverVersion: found.driverVersion,
    devices: found.devices,
    ...(found.missing === undefined ? {} : { missing: found.missing }),
    model,
    choice: await choiceFor(folder, found),
  };
}

function renderDevice(device: CudaDevice, index: number): string {
  const { name, computeMajor, computeMinor, freeBytes, totalBytes, supported } = device;
  const memory = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free`;
  return `GPU ${index}      ${name} · compute capability ${computeMajor}.${computeMinor} · ${memory}${supported ? '' : ' · not supported'}`;
}

function renderChoice({ model, choice }: Diagnosis): readonly string[] {
  switch (choice.name) {
    case 'cpu':
      return [`${model} runs on the processor: ${choice.reason}.`];
    case 'cuda':
      return [`${model} runs on GPU ${choice.options.device}, ${choice.deviceName}: ${choice.reason}.`];
    case 'none':
      return [`${model} does not run here: ${choice.reason}`, choice.remedy];
  }
}

/** A diagnosis for people. */
export function renderDiagnosis(diagnosis: Diagnosis): string {
  const { processor, driverVersion, devices, missing } = diagnosis;
  const cuda = `${Math.floor(driverVersion / 1000)}.${Math.floor((driverVersion % 1000) / 10)}`;
  const lines = [
    `processor  ${processor.name} · ${processor.threads} threads · ${formatBytes(processor.freeBytes)} of memory free`,
    `driver     ${driverVersion === 0 ? 'none found' : `for CUDA up to ${cuda}`}`,
    ...devices.map(renderDevice),
    ...(missing === undefined ? [] : [`missing    ${missing.problem}`, `           ${missing.remedy}`]),
    '',
    ...renderChoice(diagnosis),
  ];
  return lines.map(printable).join('\n');
}

/** Adds `locret doctor`. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('show where a model would run here, and why')
    .description(oneParagraph(description))
    .option('--model <name|folder>', 'model: a name that `locret models` lists, or a folder', 'nano')
    .option('--json', 'print one JSON object')
    .action(async ({ model, json }: { readonly model: string; readonly json?: boolean }) => {
      const diagnosis = await diagnose({ model });
      process.stdout.write(`${json === true ? JSON.stringify(diagnosis, null, 2) : renderDiagnosis(diagnosis)}\n`);
    });
}
