import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Instructions that decide how fast whole numbers are multiplied. */
const telling = ['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni'] as const;

/** What the processor can do that speed depends on, in words: `AVX2 and AVX-512 with VNNI`. */
export function processorFeatures(): string {
  if (process.arch === 'arm64') return 'ARM64';
  if (os.type() !== 'Linux') return 'instructions not known on this system';
  const flags = new Set((/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '').trim().split(' '));
  const [avx2, avx512, avxVnni, avx512Vnni] = telling.map((flag) => flags.has(flag));
  const names = [
    ...(avx2 === true ? ['AVX2'] : []),
    ...(avxVnni === true ? ['AVX-VNNI'] : []),
    ...(avx512 === true ? [avx512Vnni === true ? 'AVX-512 with VNNI' : 'AVX-512 without VNNI'] : ['no AVX-512']),
  ];
  return names.join(', ');
}
