import { setTimeout } from 'node:timers/promises';
import { format } from 'node:util';
import type { Browser } from 'playwright-core';
import type { EditorServer } from './editor-server.js';

/** Lines that the editor itself writes in every run: a gallery that is not there, an agent that is switched off. */
const noise =
  /^\[?(AgentHost|ChatModelSelection|AccountPolicyGate|Service Worker|reconnection-grace)|Creating a socket|connection token|builtin extensions cache|Timed out waiting for authentication|127\.0\.0\.1:9|ECONNREFUSED/;

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
  /** What the suite and the extension host wrote to their console. */
  readonly output: string;
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
      const line = format(...values);
      if (!noise.test(line)) lines.push(line);
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
  return { output: lines.join('\n'), passed };
}
