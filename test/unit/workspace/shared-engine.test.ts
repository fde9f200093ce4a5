import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { isLocretError } from '../../../server/errors.js';
import * as free from '../../../server/memory/planning/free-memory.js';
import { SharedEngine } from '../../../server/workspace/shared-engine.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const settings = {
  repo: path.join(root, 'server/repository'),
  model: path.join(root, 'models/nano'),
  survey: { maxFileBytes: 1 << 20, include: [], exclude: [] },
  cacheFolder: os.tmpdir(),
  threads: 1,
};

/** Why a plan was refused while almost no memory is free. */
async function refusal(isTraining: boolean): Promise<unknown> {
  const spy = vi.spyOn(free, 'freeMemory').mockReturnValue(1 << 20);
  try {
    const engine = new SharedEngine(
      () => undefined,
      () => isTraining,
    );
    return await engine.plan(settings).catch((error: unknown) => error);
  } finally {
    spy.mockRestore();
  }
}

describe('a model that does not fit', () => {
  it('beside a training asks to pause that', async () => {
    const error = await refusal(true);
    expect(isLocretError(error, 'training-under-way') && error).toMatchObject({ remedy: 'Pause the training first.' });
    expect(error).toMatchObject({ message: expect.stringMatching(/being trained.*does not fit/) as unknown });
  });

  it('otherwise says so alone', async () => {
    expect(await refusal(false)).toMatchObject({ code: 'out-of-memory' });
  });
});
