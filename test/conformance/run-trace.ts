import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Trace } from '../../server/trace/trace.js';
import { cudaBinding } from '../cuda-under-test.js';
import { type ReadTensor, readTensors } from './read-tensors.js';

const command = fileURLToPath(new URL('../../dist/locret.js', import.meta.url));

export interface TraceRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `locret trace` with these arguments and a cache of packed weights in the folder; on the CUDA engine under test, where a GPU is asked for. */
export function runTrace(folder: string, ...argv: string[]): TraceRun {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'trace', ...argv], {
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache'), LOCRET_CUDA_BINDING: cudaBinding },
  });
  return { status, stdout, stderr };
}

export function writeTokens(folder: string, tokens: readonly number[]): string {
  const file = path.join(folder, `tokens-${tokens.length}.json`);
  writeFileSync(file, JSON.stringify(tokens));
  return file;
}

export function readTrace(folder: string): Trace {
  const parse: (text: string) => Trace = JSON.parse;
  return parse(readFileSync(path.join(folder, 'trace.json'), 'utf8'));
}

export function readTraceTensors(folder: string): ReadonlyMap<string, ReadTensor> {
  return readTensors(path.join(folder, 'trace_logits.safetensors'));
}
