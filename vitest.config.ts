import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/fixtures/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ['test/build-once.ts'],
    // Each test file may load a model: two cores carry two of them, not more.
    maxWorkers: 2,
  },
});
