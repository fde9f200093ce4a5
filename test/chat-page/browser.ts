import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';
import { findChromium, obstacle } from '../../scripts/test-editor.mjs';

const executablePath = findChromium();
if (executablePath === undefined) process.stderr.write(`The chat page is not tested. ${obstacle() ?? ''}\n`);

/** Tests in a browser; skipped where there is none. */
export function describeInBrowser(name: string, tests: (browser: () => Browser) => void): void {
  describe.skipIf(executablePath === undefined)(name, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: executablePath ?? '',
        args: ['--no-sandbox', '--disable-gpu'],
      });
    });
    afterAll(() => browser?.close());
    tests(() => {
      if (browser === undefined) throw new Error('The browser has not started.');
      return browser;
    });
  });
}
