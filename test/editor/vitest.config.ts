import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What both have: an editor, its browser and a model at once take all of a small machine. */
const shared = {
  root,
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 30_000 } },
  globalSetup: ['test/editor/package-once.ts'],
  fileParallelism: false,
};

/** `npm run test:editor` runs editor, `npm run pictures` runs pictures. */
export default defineConfig({
  root,
  test: {
    projects: [
      { root, test: { ...shared, name: 'editor', include: ['test/editor/*.test.ts'] } },
      { root, test: { ...shared, name: 'pictures', include: ['test/editor/pictures/*.pictures.ts'] } },
    ],
  },
});
