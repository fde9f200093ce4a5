import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { buildAll } from '../../scripts/build.mjs';
import { bundleExtensionHostTests } from '../../scripts/extension-host-tests.mjs';
import { startBrowser } from './installation/browser.js';
import { editorCache, installEditor } from './installation/editor-installation.js';
import { startServer } from './installation/editor-server.js';
import { runSuite } from './installation/extension-host.js';
import { Profile } from './installation/profile.js';
import { SampleRepository } from './sample-repository.js';

test('the suite passes in the extension host', async () => {
  await buildAll();
  const { suite } = await bundleExtensionHostTests();
  const installation = await installEditor();
  const sample = await SampleRepository.create();
  onTestFinished(() => sample.remove());
  const profile = await Profile.create(installation, {});
  onTestFinished(() => profile.remove());
  const server = await startServer(installation, profile, { smokeTestDriver: true });
  onTestFinished(() => server.stop());
  const browser = await startBrowser(installation);
  onTestFinished(() => browser.close());

  const {
    passed,
    report,
    console: written,
  } = await runSuite(browser, server, {
    extension: fileURLToPath(new URL('../..', import.meta.url)),
    suite,
    folder: sample.folder,
    timeoutMilliseconds: 150_000,
  });

  process.stdout.write(`${report}\n`);
  if (passed !== true) {
    const folder = path.join(editorCache, 'failures/extension-host');
    await mkdir(folder, { recursive: true });
    const logs = await profile.logs(/locret/i);
    await writeFile(path.join(folder, 'console.log'), written);
    await writeFile(path.join(folder, 'server.log'), server.output());
    await writeFile(path.join(folder, 'locret.log'), [...logs.values()].join('\n'));
    process.stderr.write(`Logs: ${folder}\n`);
  }
  expect(passed, passed === undefined ? 'did not end in time' : 'see above').toBe(true);
});
