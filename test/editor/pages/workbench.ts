import { type BrowserContext, errors, type Locator, type Page } from 'playwright-core';

/** What to open: a folder or a `.code-workspace` file, as an absolute path. */
export type Opened = { readonly folder: string } | { readonly workspace: string };

const startMilliseconds = 60_000;
const offerMilliseconds = 30_000;
const statusMilliseconds = 120_000;

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
  static async open(context: BrowserContext, url: string, opened: Opened): Promise<Workbench> {
    const page = await context.newPage();
    const foreign: string[] = [];
    page.on('request', (request) => {
      const { protocol, hostname, host } = new URL(request.url());
      if (!/^(https?|wss?):$/.test(protocol) || host === new URL(url).host) return;
      // Files of a webview have addresses of this kind; the page's service worker answers for them.
      if (!hostname.endsWith('.vscode-resource.vscode-cdn.net')) foreign.push(request.url());
    });
    // Unsaved changes are no reason to stay.
    page.on('dialog', (dialog) => void dialog.accept());
    const [kind, place] = 'folder' in opened ? ['folder', opened.folder] : ['workspace', opened.workspace];
    await page.goto(`${url}/?${kind}=${encodeURIComponent(place)}`, { waitUntil: 'domcontentloaded' });
    const workbench = new Workbench(page, foreign);
    await workbench.locretStatus.waitFor({ timeout: startMilliseconds });
    return workbench;
  }

  /** Locret's item in the status bar; it is there once the extension is active. */
  get locretStatus(): Locator {
    return this.page.locator('[id="locret.locret.locret.status"]');
  }

  /** Waits until Locret's item is described as wanted, as in `Locret. orchard: ready`. */
  async waitForStatus(description: RegExp, timeout = statusMilliseconds): Promise<void> {
    await this.page
      .locator('.statusbar-item')
      .and(this.page.getByLabel(description))
      .and(this.locretStatus)
      .waitFor({ timeout });
  }

  /** The visible box of the command palette and of every quick pick. */
  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget:visible');
  }

  /**
   * Types into the palette or the list of files and chooses a row. Rows come late while extensions start, and the box
   * closes when a page that is still loading takes the focus; then it is opened anew.
   */
  private async choose(key: 'F1' | 'Control+p', text: string, label: RegExp): Promise<void> {
    const row = this.quickInput.getByRole('option', { name: label }).first();
    const timeout = 2_000;
    const end = Date.now() + offerMilliseconds;
    while (Date.now() < end) {
      await this.page.keyboard.press(key);
      try {
        await this.quickInput.locator('input').first().fill(text, { timeout });
        await row.click({ timeout });
        return;
      } catch (error) {
        if (!(error instanceof errors.TimeoutError)) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
    throw new Error(`Nothing like ${String(label)} could be chosen for "${text}".`);
  }

  /** Runs a command by its title in the palette, as `Locret: Ask the Repository`. */
  async runCommand(title: string): Promise<void> {
    await this.choose('F1', `>${title}`, new RegExp(`^${escaped(title)}(,|$)`));
  }

  /** Opens a file of the folder by its path, at a line; what is typed then goes there. */
  async openFile(path: string, line = 1): Promise<void> {
    const name = path.slice(path.lastIndexOf('/') + 1);
    await this.choose('Control+p', `${path}:${line}`, new RegExp(`^${escaped(name)}`));
    await this.activeTab.filter({ hasText: name }).waitFor();
    await this.page.locator('.part.editor .editor-group-container.active .monaco-editor.focused').waitFor();
  }

  /** The tab that is in front. */
  get activeTab(): Locator {
    return this.page.locator('.part.editor .tab.active');
  }

  /** `Ln 12, Col 1`, or how much is selected. */
  get cursorPosition(): Locator {
    return this.page.locator('[id="status.editor.selection"]');
  }

  /** How Locret's item in the status bar is described. */
  async status(): Promise<string> {
    return (await this.locretStatus.getAttribute('aria-label')) ?? '';
  }

  /** Messages that stand in a corner of the window. */
  get notifications(): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item');
  }

  /** The secondary side bar, in which the chat panel is. */
  get panel(): Locator {
    return this.page.locator('.part.auxiliarybar');
  }

  /** Drags the edge of the secondary side bar until it has a width, in pixels. */
  async resizePanel(width: number): Promise<void> {
    const box = await this.panel.boundingBox();
    if (box === null) throw new Error('The secondary side bar is not shown.');
    const [edge, middle] = [box.x - 2, box.y + box.height / 2];
    await this.page.mouse.move(edge, middle);
    await this.page.mouse.down();
    await this.page.mouse.move(edge + box.width - width, middle, { steps: 5 });
    await this.page.mouse.up();
  }

  /** Closes the window as a person does: the editor has time to put away what it keeps. */
  async close(): Promise<void> {
    if (this.page.isClosed()) return;
    await Promise.all([this.page.waitForEvent('close'), this.page.close({ runBeforeUnload: true })]);
  }
}
