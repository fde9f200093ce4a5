import type { FrameLocator, Locator } from 'playwright-core';
import type { Workbench } from './workbench.js';

const answerMilliseconds = 120_000;

/** The chat panel in the secondary side bar. */
export class ChatPanel {
  constructor(private readonly workbench: Workbench) {}

  /** The page inside the panel: VS Code puts it into a frame of a frame. */
  get page(): FrameLocator {
    return this.workbench.page
      .frameLocator('iframe.webview.ready[src*="extensionId=locret.locret"]')
      .frameLocator('#active-frame');
  }

  get question(): Locator {
    return this.page.getByRole('textbox', { name: 'Question' });
  }

  get turns(): Locator {
    return this.page.locator('article.turn');
  }

  /** The answers to the last question: one, or one for each folder. */
  get answers(): Locator {
    return this.turns.last().locator('.answer');
  }

  /** The links under the last answer. */
  get links(): Locator {
    return this.answers.last().getByRole('list', { name: 'Links' }).getByRole('button');
  }

  /**
   * Watches the page while something is done.
   *
   * @returns how many different texts the answers had meanwhile, the empty one among them
   */
  async countAnswerTexts(action: () => Promise<void>): Promise<number> {
    const frame = await (await this.page.locator('body').elementHandle()).ownerFrame();
    if (frame === null) throw new Error('The chat panel is not open.');
    // As text, in the page's own language: what has a type there has none here.
    await frame.evaluate(`
      globalThis.answerTexts = new Set();
      globalThis.lookAtAnswers = () => {
        answerTexts.add([...document.querySelectorAll('.answer-text')].map((text) => text.innerText).join());
      };
      lookAtAnswers();
      new MutationObserver(lookAtAnswers).observe(document.body, { childList: true, characterData: true, subtree: true });
    `);
    await action();
    return Number(await frame.evaluate('answerTexts.size'));
  }

  get deepSwitch(): Locator {
    return this.page.getByRole('button', { name: 'Deep', exact: true });
  }

  get stopButton(): Locator {
    return this.page.getByRole('button', { name: 'Stop (Escape)' });
  }

  /** What the panel says of the memory. */
  get memory(): Locator {
    return this.page.getByRole('region', { name: 'Memory' });
  }

  /** A part of the line under the last answer, as `read 26 of 26 files`. */
  coverage(part: RegExp): Locator {
    return this.answers.last().locator('.coverage-line').getByRole('button', { name: part });
  }

  /** What a part of that line has opened. */
  get details(): Locator {
    return this.answers.last().locator('.details');
  }

  async open(): Promise<void> {
    await this.workbench.runCommand('Locret: Focus on Chat View');
    await this.question.waitFor();
  }

  /** Puts a question; does not wait for its answer. */
  async ask(question: string, { deep = false } = {}): Promise<void> {
    const before = await this.turns.count();
    await this.question.fill(question);
    const isDeep = (await this.deepSwitch.getAttribute('aria-pressed')) === 'true';
    if (deep !== isDeep) await this.deepSwitch.click();
    await this.question.press('Enter');
    await this.turns.nth(before).waitFor();
  }

  /** Waits until the last question is answered, or has failed. */
  async waitForAnswer(): Promise<void> {
    const last = this.turns.last();
    await last.and(this.page.locator('[aria-busy="false"]')).waitFor({ timeout: answerMilliseconds });
  }

  /** Asks, and waits for the answer. */
  async askAndWait(question: string, options: { deep?: boolean } = {}): Promise<void> {
    await this.ask(question, options);
    await this.waitForAnswer();
  }
}
