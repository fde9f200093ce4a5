import { defineConfig } from 'vitest/config';

/** The tests that need no editor; those in one have a configuration of their own, test/editor/vitest.config.ts. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/fixtures/**', 'test/editor/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 10_000 } },
    globalSetup: ['test/build-once.ts'],
    // Each test file may load a model: two cores carry two of them, not more.
    maxWorkers: 2,
  },
});
