import type { Locator } from 'playwright-core';
import type { Workbench } from './workbench.js';

/** The thread of questions about lines, in the editor that is open. */
export class InlineThread {
  constructor(private readonly workbench: Workbench) {}

  get widget(): Locator {
    return this.workbench.page.locator('.review-widget').last();
  }

  /** Questions and answers in turn. */
  get comments(): Locator {
    return this.widget.locator('.review-comment');
  }

  get answer(): Locator {
    return this.comments.last().locator('.comment-body');
  }

  /** Writes into the thread's box and sends it. */
  async ask(question: string): Promise<void> {
    const form = this.widget.locator('.comment-form-container');
    const reply = form.locator('.review-thread-reply-button');
    const box = form.locator('.monaco-editor');
    await reply.or(box).filter({ visible: true }).first().waitFor();
    if (await reply.isVisible()) await reply.click();
    await box.click();
    await this.workbench.page.keyboard.insertText(question);
    await form.getByRole('button', { name: /^Ask( \(|$)/ }).click();
  }

  /** Runs an action of the thread's title. */
  async act(title: string): Promise<void> {
    await this.widget.locator('.review-title, .head').first().hover();
    await this.widget.getByRole('button', { name: title }).first().click();
  }
}
