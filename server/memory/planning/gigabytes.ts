/** `3.10 GB` (powers of 1024), for the arithmetic of what does not fit. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GB`;
}
