import { openMemory, type OpenedMemory, type OpenHow } from '../memory/open-memory.js';
import { planModel } from '../memory/planning/planned-model.js';
import { memorySettings } from '../workspace/settings.js';
import { printable } from './exit.js';
import type { ReadingOptions } from './options.js';
import { ProgressBar } from './progress.js';

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
    return await openMemory(await memorySettings(options, options.repo), how, {
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
  return planModel(await memorySettings(options, options.repo));
}
