import type { Engine } from '../engine/engine.js';

/** Runs a task and takes back everything it appended to the cache, whether it succeeds or fails. */
export async function leavingNoTrace<Result>(engine: Engine, task: () => Promise<Result>): Promise<Result> {
  const mark = await engine.mark();
  let result: Result;
  try {
    result = await task();
  } catch (error) {
    // An engine that failed cannot rewind either; the first error is the one to tell.
    await engine.rewind(mark).catch(() => undefined);
    throw error;
  }
  await engine.rewind(mark);
  return result;
}
