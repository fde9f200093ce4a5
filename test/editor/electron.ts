import { runTests } from '@vscode/test-electron';
import { SampleRepository } from './sample-repository.js';

/** Runs the tests of the extension host in a VS Code for the desktop. Arguments: the extension's folder, the suite. */
const [, , extension, suite] = process.argv;
if (extension === undefined || suite === undefined)
  throw new Error('Expected the folder of the extension and the suite.');
const executable = process.env['VSCODE_EXECUTABLE'];
const sample = await SampleRepository.create();
try {
  await runTests({
    ...(executable === undefined || executable === '' ? {} : { vscodeExecutablePath: executable }),
    extensionDevelopmentPath: extension,
    extensionTestsPath: suite,
    launchArgs: [sample.folder, '--disable-extensions', '--disable-workspace-trust', '--skip-welcome'],
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await sample.remove();
}
