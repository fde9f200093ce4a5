import v8 from 'node:v8';

/**
 * Keeps the garbage collector's nursery as small as it is at the start. It would grow to some 32 MB per thread while a
 * repository is read, whatever is held: memory that a plan cannot account for. The smaller nursery costs about 1 % of
 * processor time. It holds for all threads of the process.
 */
export function keepHeapSteady(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}
