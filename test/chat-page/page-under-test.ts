import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { pageHtml } from '../../extension/chat/page-html.js';
import { pageMessageOf } from '../../extension/chat/page-message.js';
import type { ExtensionMessage } from '../../extension/chat/messages.js';
import { openChat, type ChatOptions, type ChatUnderTest } from '../unit/extension/chat/chat-under-test.js';
import themes from './themes.json' with { type: 'json' };

/** Kinds of themes, by the class that VS Code gives the page. */
export type Theme = keyof typeof themes;

/** An address that only the test answers. */
const origin = 'http://chat.test';
const built = new URL('../../dist/webview/', import.meta.url);

const fonts = {
  'font-family': "'DejaVu Sans', sans-serif",
  'font-size': '13px',
  'editor-font-family': "'DejaVu Sans Mono', monospace",
  'editor-font-size': '13px',
};

/** What VS Code puts into every page beside the theme. */
const editorStyle = `
  @layer vscode-default {
    body { margin: 0; padding: 0 20px; color: var(--vscode-editor-foreground); font-family: var(--vscode-font-family); }
    a, a code { color: var(--vscode-textLink-foreground); }
    code { color: var(--vscode-textPreformat-foreground); background-color: var(--vscode-textPreformat-background); }
    ::-webkit-scrollbar { width: 10px; height: 10px; }
    ::-webkit-scrollbar-thumb { background-color: var(--vscode-scrollbarSlider-background); }
  }
  html { background: var(--vscode-sideBar-background); }`;

function themeStyle(theme: Theme): string {
  const values = Object.entries({ ...themes[theme], ...fonts }).map(([name, value]) => `--vscode-${name}: ${value};`);
  return `:root { ${values.join(' ')} } ${editorStyle}`;
}

export interface PageOptions extends ChatOptions {
  readonly theme?: Theme;
  readonly width?: number;
  readonly height?: number;
}

/** The chat's page in a browser, with everything behind it but VS Code and the sidecar. */
export interface PageUnderTest extends ChatUnderTest {
  readonly page: Page;
  /** What the browser complained of: errors, and what the page's policy kept out. */
  readonly complaints: string[];
  /** Whatever the page asked the network for. */
  readonly requested: string[];
  /** Resolves when the page has taken everything it was sent so far. */
  settled(): Promise<void>;
  /** Hides and shows the page: it is built anew. */
  rebuild(): Promise<void>;
}

/** The API that VS Code gives a page. What it remembers outlives a reload, as in VS Code. */
const editorApi = `window.acquireVsCodeApi = () => ({
  postMessage: (message) => { void window.toExtension(message); },
  getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null'),
  setState: (state) => { sessionStorage.setItem('state', JSON.stringify(state)); },
});`;

const twoFrames = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';

export async function openPage(browser: Browser, options: PageOptions = {}): Promise<PageUnderTest> {
  const { theme = 'vscode-dark', width = 400, height = 720 } = options;
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: 2 });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.route('**', async (route) => {
    const address = new URL(route.request().url());
    if (address.origin !== origin) {
      requested.push(address.href);
      await route.abort();
    } else if (address.pathname === '/') {
      await route.fulfill({ contentType: 'text/html', body: html(theme) });
    } else if (address.pathname === '/theme.css') {
      await route.fulfill({ contentType: 'text/css', body: themeStyle(theme) });
    } else {
      const name = path.basename(address.pathname);
      const contentType = { '.js': 'text/javascript', '.css': 'text/css', '.ttf': 'font/ttf' }[path.extname(name)];
      const body = await readFile(new URL(name, built)).catch(() => undefined);
      if (body === undefined || contentType === undefined) await route.fulfill({ status: 404, body: '' });
      else await route.fulfill({ contentType, body });
    }
  });
  await page.addInitScript({ content: editorApi });
  let posted: Promise<unknown> = Promise.resolve();
  const post = (message: ExtensionMessage): void => {
    const send = (): Promise<unknown> => page.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
    posted = posted.then(send).catch(() => undefined);
  };
  const chat = await openChat({ ...options, post });
  await page.exposeFunction('toExtension', (value: unknown) => {
    const message = pageMessageOf(value);
    if (message === undefined) complaints.push(`The page sent what is no message: ${JSON.stringify(value)}`);
    else void chat.chat.handle(message);
  });
  const show = async (): Promise<void> => {
    await page.goto(origin);
    await page.locator('.panel').waitFor();
  };
  await show();
  return {
    ...chat,
    page,
    complaints,
    requested,
    settled: async () => {
      await posted;
      await page.evaluate(twoFrames);
    },
    rebuild: show,
  };
}

function html(theme: Theme): string {
  const document = pageHtml({
    script: `${origin}/chat.js`,
    style: `${origin}/style.css`,
    cspSource: origin,
    nonce: 'bm9uY2U',
    language: 'en',
    title: 'Locret',
  });
  return document
    .replace('</title>', `</title><link rel="stylesheet" href="${origin}/theme.css">`)
    .replace('<body>', `<body class="${theme}">`);
}
