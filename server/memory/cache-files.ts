import { createHash } from 'node:crypto';
import path from 'node:path';
import type { SurveyOptions } from '../repository/source.js';
import type { MemoryPlan } from './plan.js';

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** A name that people recognise in a folder, of letters that every file system takes. */
function readable(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40);
  return plain === '' ? 'repository' : plain;
}

/** Where a model's packed weights are kept. */
export function packedWeightsFolder(cacheFolder: string, modelFolder: string): string {
  return path.join(cacheFolder, 'weights', `${readable(path.basename(modelFolder))}-${digest(modelFolder)}`);
}

/**
 * What a snapshot's cache depends on besides the engine's fingerprint, as text: the sizes that decide what is kept, and
 * which files are read.
 */
export function readingIdentity(plan: MemoryPlan, options: SurveyOptions): string {
  const { budget, chunk, stabilizers } = plan.cache;
  return JSON.stringify({ budget, chunk, stabilizers, local: plan.local, ...options });
}

/**
 * The file of a memory's snapshot: one for each repository, model and settings.
 * @param root the repository's real path
 */
export function snapshotFile(
  cacheFolder: string,
  root: string,
  modelFolder: string,
  plan: MemoryPlan,
  options: SurveyOptions,
): string {
  const { heads = '', policy, precision } = plan;
  const parts = [root, modelFolder, heads, policy, precision, readingIdentity(plan, options)];
  return path.join(cacheFolder, 'memories', `${readable(path.basename(root))}-${digest(parts.join('\n'))}.memory`);
}
