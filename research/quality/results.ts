import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isJsonObject } from '../../server/contract/json.js';
import type { Outcome } from './cell.js';

/** Changes when the same cell may have other outcomes than before. */
const version = 1;

function isOutcome(value: unknown): value is Outcome {
  return (
    isJsonObject(value) &&
    typeof value['id'] === 'string' &&
    typeof value['kind'] === 'string' &&
    typeof value['right'] === 'boolean' &&
    typeof value['logProbability'] === 'number'
  );
}

function fileOf(folder: string, cell: Readonly<Record<string, unknown>>): string {
  const key = createHash('sha256').update(JSON.stringify({ version, ...cell }));
  return path.join(folder, `${key.digest('hex').slice(0, 24)}.json`);
}

/** The outcomes of a cell that an earlier run had; undefined when there are none. */
export async function knownOutcomes(
  folder: string,
  cell: Readonly<Record<string, unknown>>,
): Promise<readonly Outcome[] | undefined> {
  let saved: unknown;
  try {
    saved = JSON.parse(await readFile(fileOf(folder, cell), 'utf8'));
  } catch {
    return undefined;
  }
  const outcomes: unknown = isJsonObject(saved) ? saved['outcomes'] : undefined;
  return Array.isArray(outcomes) && outcomes.every(isOutcome) ? outcomes : undefined;
}

/** Keeps the outcomes of a cell, whole or not at all. */
export async function keepOutcomes(
  folder: string,
  cell: Readonly<Record<string, unknown>>,
  outcomes: readonly Outcome[],
): Promise<void> {
  const file = fileOf(folder, cell);
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.partial`, `${JSON.stringify({ cell, outcomes }, undefined, 1)}\n`);
  await rename(`${file}.partial`, file);
}
