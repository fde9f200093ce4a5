import { defineConfig } from 'vitest/config';

/** `npm test` runs code, then editor; `npm run pictures` runs pictures. */
export default defineConfig({
  test: {
    // Each test file may load a model: two cores carry two of them, not more.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'code',
          include: ['test/**/*.test.ts'],
          exclude: ['test/fixtures/**', 'test/editor/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          globalSetup: ['test/build-once.ts'],
        },
      },
      {
        test: {
          name: 'editor',
          include: ['test/editor/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          globalSetup: ['test/editor/package-once.ts'],
          // An editor, its browser and a model at once take all of a small machine.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'pictures',
          include: ['test/editor/pictures/*.pictures.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          globalSetup: ['test/editor/package-once.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
