import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { SampleRepository, type SampleOptions } from './sample-repository.js';
import { Session, type SessionOptions } from './session.js';

/** Writes a sample repository before the tests of a file and removes it after them. */
export function useSample(options: SampleOptions = {}): () => SampleRepository {
  let sample: SampleRepository | undefined;
  beforeAll(async () => {
    sample = await SampleRepository.create(options);
  });
  afterAll(async () => {
    await sample?.remove();
  });
  return () => {
    if (sample === undefined) throw new Error('The sample repository has not been written.');
    return sample;
  };
}

/**
 * Starts a session before the tests of a file and ends it after them. When a test fails, says where its evidence lies.
 *
 * @param options called when the session starts
 */
export function useSession(options: () => SessionOptions | Promise<SessionOptions>): () => Session {
  let session: Session | undefined;
  beforeAll(async () => {
    session = await Session.start(inject('vsix'), await options());
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await session?.keepEvidence(task.name);
  });
  afterAll(async () => {
    await session?.stop();
  });
  return () => {
    if (session === undefined) throw new Error('The session has not started.');
    return session;
  };
}
