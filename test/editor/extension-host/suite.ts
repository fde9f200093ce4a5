import { format } from 'node:util';
import Mocha from 'mocha';
import { reportMark } from '../report-mark.js';

/** Runs all tests of this folder; VS Code calls it in its extension host. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'tdd', timeout: 120_000, slow: 5_000, color: false });
  // So that its lines can be told from what the extension host and all extensions write.
  Mocha.reporters.Base.consoleLog = (...values: unknown[]) => {
    console.log(`${reportMark}${format(...values)}`);
  };
  // What mocha does before it loads a file: it makes `suite` and `test` known.
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  await import('./activation.js');
  await import('./reports.js');
  await import('./settings.js');
  await import('./language-model.js');
  await import('./code-actions.js');
  await import('./conversation-documents.js');
  await import('./shading.js');
  await new Promise<void>((resolve, reject) => {
    mocha.run((failures) => {
      if (failures === 0) resolve();
      else reject(new Error(`${failures} tests failed.`));
    });
  });
}
