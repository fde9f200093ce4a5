import { setTimeout } from 'node:timers/promises';
import { format } from 'node:util';
import type { Browser } from 'playwright-core';
import { reportMark } from '../report-mark.js';
import type { EditorServer } from './editor-server.js';

export interface SuiteOptions {
  /** The extension's folder, with its manifest. */
  readonly extension: string;
  /** A CommonJS file that exports `run(): Promise<void>`. */
  readonly suite: string;
  /** The folder that is open. */
  readonly folder: string;
  readonly timeoutMilliseconds: number;
}

export interface SuiteResult {
  /** What the suite reported. */
  readonly report: string;
  /** All that was written to the console of the extension host and of the page. */
  readonly console: string;
  /** Undefined when it did not end in time. */
  readonly passed: boolean | undefined;
}

/**
 * Runs a test suite in the extension host of an editor that was started with the smoke-test driver: the same that
 * VS Code on a desktop does with `--extensionDevelopmentPath` and `--extensionTestsPath`.
 */
export async function runSuite(browser: Browser, server: EditorServer, options: SuiteOptions): Promise<SuiteResult> {
  const page = await browser.newPage();
  const lines: string[] = [];
  const ended = new Promise<boolean>((resolve) => {
    // The driver calls these two in the page.
    void page.exposeFunction('codeAutomationLog', (_kind: string, values: unknown[]) => {
      lines.push(format(...values));
    });
    void page.exposeFunction('codeAutomationExit', (code: number) => {
      resolve(code === 0);
    });
  });
  const remote = (file: string) => `vscode-remote://${new URL(server.url).host}${file}`;
  const payload = JSON.stringify([
    ['extensionDevelopmentPath', remote(options.extension)],
    ['extensionTestsPath', remote(options.suite)],
  ]);
  const query = new URLSearchParams({ folder: options.folder, payload });
  await page.goto(`${server.url}/?${query.toString()}`);
  const passed = await Promise.race([ended, setTimeout(options.timeoutMilliseconds, undefined, { ref: false })]);
  const reported = lines.filter((line) => line.startsWith(reportMark)).map((line) => line.slice(reportMark.length));
  return { report: reported.join('\n'), console: lines.join('\n'), passed };
}
