import Mocha from 'mocha';

/** Runs all tests of this folder; VS Code calls it in its extension host. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'tdd', timeout: 120_000, slow: 5_000, color: false });
  // What mocha does before it loads a file: it makes `suite` and `test` known.
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  await import('./activation.js');
  await new Promise<void>((resolve, reject) => {
    mocha.run((failures) => {
      if (failures === 0) resolve();
      else reject(new Error(`${failures} tests failed.`));
    });
  });
}
