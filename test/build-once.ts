import { buildAll } from '../scripts/build.mjs';

/** Builds dist/ before the tests: engines under test run in the built worker, and commands in the built program. */
export default async function setup(): Promise<void> {
  await buildAll();
}
