import { chromium, type Browser, type BrowserContext } from 'playwright-core';
import type { EditorInstallation } from './editor-installation.js';

/** The window's size, in pixels of the screen and of the page alike. */
export const windowSize = { width: 1400, height: 900 };

/** Starts the browser without a window; it looks nothing up by itself. */
export function startBrowser({ chromium: executablePath }: EditorInstallation): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      // A sandbox needs rights that a user in a container does not have; the page is our own.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A browser's windows, what it keeps between them, and what their consoles said. */
export interface BrowserSession {
  readonly context: BrowserContext;
  readonly console: readonly string[];
}

/** A browser as a person has it: storage and rights outlive a window. */
export async function newBrowserSession(browser: Browser): Promise<BrowserSession> {
  const context = await browser.newContext({
    viewport: windowSize,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const console: string[] = [];
  context.on('console', (message) => console.push(`[${message.type()}] ${message.text()}`));
  context.on('weberror', (error) => console.push(`[uncaught] ${error.error().stack ?? error.error().message}`));
  return { context, console };
}
