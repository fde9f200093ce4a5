import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { windowSize } from '../installation/browser.js';

/** What to open: a folder or a `.code-workspace` file, as an absolute path. */
export type Opened = { readonly folder: string } | { readonly workspace: string };

const startMilliseconds = 60_000;
const offerMilliseconds = 30_000;

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The window of the editor, as a person sees and uses it. */
export class Workbench {
  private constructor(
    readonly page: Page,
    /** Requests of the page that went elsewhere than to the editor's server. */
    readonly foreignRequests: readonly string[],
  ) {}

  /** Opens the editor in a new window and waits until it can be used. */
  static async open(browser: Browser, url: string, opened: Opened): Promise<Workbench> {
    const context = await browser.newContext({
      viewport: windowSize,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const foreign: string[] = [];
    page.on('request', (request) => {
      const target = new URL(request.url());
      if (/^(https?|wss?):$/.test(target.protocol) && target.host !== new URL(url).host) foreign.push(request.url());
    });
    const [kind, place] = 'folder' in opened ? ['folder', opened.folder] : ['workspace', opened.workspace];
    await page.goto(`${url}/?${kind}=${encodeURIComponent(place)}`, { waitUntil: 'domcontentloaded' });
    const workbench = new Workbench(page, foreign);
    await page.locator('.monaco-workbench').waitFor({ timeout: startMilliseconds });
    await page.locator('.part.statusbar .statusbar-item').first().waitFor({ timeout: startMilliseconds });
    return workbench;
  }

  /** The visible box of the command palette and of every quick pick. */
  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget:visible');
  }

  /**
   * Types into the palette or the list of files until a row is offered: rows come late while extensions start.
   * @returns the row
   */
  private async offered(key: 'F1' | 'Control+p', text: string, label: RegExp): Promise<Locator> {
    const row = this.quickInput.getByRole('option', { name: label }).first();
    for (const end = Date.now() + offerMilliseconds; Date.now() < end;) {
      await this.page.keyboard.press(key);
      await this.quickInput.locator('input').first().fill(text);
      const isThere = await row.waitFor({ timeout: 2_000 }).then(
        () => true,
        () => false,
      );
      if (isThere) return row;
      await this.page.keyboard.press('Escape');
    }
    throw new Error(`Nothing like ${String(label)} was offered for "${text}".`);
  }

  /** Runs a command by its title in the palette, as `Locret: Ask the Repository`. */
  async runCommand(title: string): Promise<void> {
    const row = await this.offered('F1', `>${title}`, new RegExp(`^${escaped(title)}(,|$)`));
    await row.click();
  }

  /** The titles that the palette offers for a text, best first. */
  async commandsFor(text: string): Promise<readonly string[]> {
    await this.offered('F1', `>${text}`, new RegExp(escaped(text)));
    const titles = await this.quickInput.locator('.monaco-list-row .label-name').allInnerTexts();
    await this.page.keyboard.press('Escape');
    return titles;
  }

  /** Chooses the row of the open quick pick whose label is the given one. */
  async choose(label: string): Promise<void> {
    const rows = this.quickInput.getByRole('option', { name: new RegExp(`^${escaped(label)}(,|$)`) });
    await rows.first().click();
  }

  /** Opens a file of the folder by its path, at a line. */
  async openFile(path: string, line = 1): Promise<void> {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const row = await this.offered('Control+p', `${path}:${line}`, new RegExp(`^${escaped(name)}`));
    await row.click();
    await this.editor(name).waitFor();
  }

  /** The open editor of a file, by the name on its tab. */
  editor(name: string): Locator {
    return this.page.locator(`.editor-instance[aria-label*="${name}"], .editor-instance:has([aria-label^="${name}"])`);
  }

  /** The tab that is in front. */
  get activeTab(): Locator {
    return this.page.locator('.part.editor .tab.active');
  }

  /** `Ln 12, Col 1`, or how much is selected. */
  get cursorPosition(): Locator {
    return this.page.locator('[id="status.editor.selection"]');
  }

  /** An extension's item of the status bar. */
  statusItem(text: string | RegExp): Locator {
    return this.page.locator('.part.statusbar .statusbar-item', { hasText: text });
  }

  /** Messages that stand in a corner of the window. */
  get notifications(): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item');
  }

  /** The page of the webview that is shown. */
  get webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
