import os from 'node:os';
import { openMemory, type MemorySettings, type OpenedMemory, type OpenHow } from '../memory/open-memory.js';
import { planModel } from '../memory/planning/planned-model.js';
import { resolveModel } from '../model/catalog.js';
import { cacheFolder } from '../workspace/cache-folder.js';
import { printable } from './exit.js';
import { modelFolders } from '../workspace/model-folders.js';
import type { ReadingOptions } from './options.js';
import { ProgressBar } from './progress.js';

/** What the memory is told, from what the command line says. */
export async function memorySettings(options: ReadingOptions): Promise<MemorySettings> {
  const { heads, policy, allocation, structure, backend, precision, cachePrecision } = options;
  const { budget, chunk, stabilizers, local } = options;
  return {
    repo: options.repo,
    modelFolder: await resolveModel(options.model, modelFolders()),
    survey: { maxFileBytes: options.maxFileSize, exclude: options.exclude, include: options.include },
    cacheFolder: cacheFolder(),
    threads: options.threads ?? os.availableParallelism(),
    ...(heads === undefined ? {} : { heads }),
    ...(policy === undefined ? {} : { policy }),
    ...(allocation === undefined ? {} : { allocation }),
    ...(structure === undefined ? {} : { structure }),
    ...(backend === undefined ? {} : { backend }),
    ...(precision === undefined ? {} : { precision }),
    ...(cachePrecision === undefined ? {} : { cachePrecision }),
    ...(budget === undefined ? {} : { budget }),
    ...(chunk === undefined ? {} : { chunk }),
    ...(stabilizers === undefined ? {} : { stabilizers }),
    ...(local === undefined ? {} : { local }),
  };
}

/** Prints what the user should know beside the output proper. */
export function printNotice(notice: string): void {
  process.stderr.write(`${printable(notice)}\n`);
}

/** Opens the repository's memory with a progress bar on the standard error stream. */
export async function openFromOptions(
  options: ReadingOptions,
  { signal, ...how }: OpenHow & { readonly signal: AbortSignal | undefined },
): Promise<OpenedMemory> {
  const bar = new ProgressBar();
  try {
    return await openMemory(await memorySettings(options), how, {
      onProgress: (progress) => {
        bar.show(progress);
      },
      onFile: (filesSeen) => {
        bar.showSurvey(filesSeen);
      },
      onNotice: (notice) => {
        bar.end();
        printNotice(notice);
      },
      signal,
    });
  } finally {
    bar.end();
  }
}

/** Plans without loading anything. */
export async function planFromOptions(options: ReadingOptions): ReturnType<typeof planModel> {
  return planModel(await memorySettings(options));
}
