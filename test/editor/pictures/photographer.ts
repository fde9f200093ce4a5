import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { windowSize } from '../installation/browser.js';
import { ChatPanel } from '../pages/chat-panel.js';
import { InlineThread } from '../pages/inline-thread.js';
import { RememberedView } from '../pages/remembered-view.js';
import type { Workbench } from '../pages/workbench.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Every picture in every theme, for whoever judges them. */
export const allPictures = path.join(root, '.cache/pictures');
/** Those that the documentation shows. */
export const shownPictures = path.join(root, 'docs/pictures');

/** Themes of the editor, by the name in the pictures' files. */
export const themes = {
  light: 'Default Light Modern',
  dark: 'Default Dark Modern',
  contrast: 'Default High Contrast',
} as const;
export type Theme = keyof typeof themes;

/** Pictures that the documentation shows, and the theme that they are taken in. */
const shown: ReadonlyMap<string, Theme> = new Map([
  ['chat', 'dark'],
  ['inline', 'light'],
  ['remembered', 'dark'],
  ['reading', 'light'],
  ['status', 'dark'],
]);

/** The file of this project that is shown, and what in it is asked about. */
export const file = 'server/engine/radix-selection.ts';
export const name = 'orderedKey';

/** Takes the pictures of one theme, in the order of its methods. */
export class Photographer {
  private readonly chatPanel: ChatPanel;

  constructor(
    private readonly workbench: Workbench,
    private readonly theme: Theme,
    /** Where the definition that is asked about stands in `file`. */
    private readonly line: number,
  ) {
    this.chatPanel = new ChatPanel(workbench);
  }

  /** A question that waits until the repository is read. */
  async reading(): Promise<void> {
    await this.chatPanel.open();
    await this.workbench.resizePanel(440);
    await this.chatPanel.ask('Where is `freeMemory` defined?');
    await this.workbench.waitForStatus(/reading: [3-8]\d %/);
    await this.take('reading', this.workbench.panel, { height: 200 });
    await this.chatPanel.waitForAnswer();
  }

  /** A conversation, with the place that its link has opened. */
  async chat(): Promise<void> {
    await this.chatPanel.askAndWait(`What does \`${name}\` do?`);
    await this.chatPanel.links.filter({ hasText: name }).click();
    await this.workbench.activeTab.filter({ hasText: path.basename(file) }).waitFor();
    await this.chatPanel.coverage(/^recall /).click();
    await this.workbench.openFile(file, this.line);
    await this.take('chat');
  }

  /** The dashboard behind the status bar. */
  async status(): Promise<void> {
    await this.workbench.locretStatus.hover();
    const dashboard = this.page.locator('.monaco-hover:visible').filter({ hasText: 'cache units' });
    await dashboard.waitFor();
    await this.take('status', dashboard, { height: windowSize.height });
    await this.page.mouse.move(windowSize.width / 2, windowSize.height / 2);
    await dashboard.waitFor({ state: 'hidden' });
  }

  /** A question beside the code. */
  async inline(): Promise<void> {
    await this.workbench.runCommand('View: Toggle Secondary Side Bar Visibility');
    await this.workbench.openFile(file, this.line);
    await this.workbench.runCommand('Locret: Explain Symbol');
    const thread = new InlineThread(this.workbench);
    await thread.answer.getByRole('link').first().waitFor({ timeout: 120_000 });
    await this.take('inline');
    await thread.act('Delete Thread');
  }

  /** What is remembered: the tree, and the lines. */
  async remembered(): Promise<void> {
    const view = new RememberedView(this.workbench);
    await view.open();
    await view
      .row(/^server/)
      .first()
      .waitFor();
    await this.workbench.page.getByRole('button', { name: /^Explorer Section/ }).click();
    await this.workbench.openFile(file, this.line);
    await this.workbench.runCommand('Locret: Shade Lines by Retention');
    await this.take('remembered');
    await this.workbench.runCommand('Locret: Shade Lines by Retention');
  }

  async introduction(): Promise<void> {
    await this.workbench.runCommand('Locret: Open Introduction');
    await this.page.locator('.gettingStarted .getting-started-step').first().waitFor();
    await this.take('introduction');
  }

  private get page(): Page {
    return this.workbench.page;
  }

  /** @param around what of the window is in the picture; default: all of it */
  private async take(
    picture: string,
    around?: Locator,
    { margin = 0, height }: { margin?: number; height?: number } = {},
  ): Promise<void> {
    // Fonts, icons and colours of syntax come late, and nothing says when.
    await this.page.waitForTimeout(2_000);
    const target = path.join(allPictures, `${picture}-${this.theme}.png`);
    const box = await around?.boundingBox();
    const x = Math.max(0, (box?.x ?? 0) - margin);
    const y = Math.max(0, (box?.y ?? 0) - margin);
    const right = Math.min(windowSize.width, (box?.x ?? 0) + (box?.width ?? windowSize.width) + margin);
    const bottom = Math.min(windowSize.height, (box?.y ?? 0) + (height ?? box?.height ?? windowSize.height) + margin);
    const clip = { x, y, width: right - x, height: bottom - y };
    await this.page.screenshot({ path: target, clip, animations: 'disabled', caret: 'hide' });
    if (shown.get(picture) === this.theme) await copyFile(target, path.join(shownPictures, `${picture}.png`));
  }
}
