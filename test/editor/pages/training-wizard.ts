import type { Locator } from 'playwright-core';
import { expect } from 'vitest';
import type { Workbench } from './workbench.js';

const planMilliseconds = 120_000;

/** The questions that are asked one after the other before heads are trained. */
export class TrainingWizard {
  constructor(private readonly workbench: Workbench) {}

  /** Answers them, as usual but for the steps, and waits until it is told what the training takes. */
  async choose(steps: number): Promise<void> {
    const { workbench } = this;
    await workbench.runCommand('Locret: Train Retaining Heads');
    for (const question of [
      'The model that heads are trained for',
      /Folders whose source/,
      'What the heads learn',
      'What the heads read of a token',
    ]) {
      await this.acceptUsual(question);
    }
    await workbench.quickInput.getByText(/Training steps, each on a sample/).waitFor();
    await workbench.quickInput.locator('input[type="text"]').fill(String(steps));
    await workbench.page.keyboard.press('Enter');
    await this.choice('Train').waitFor({ timeout: planMilliseconds });
  }

  /** Takes what is chosen already. A list that has only just been shown may not take the key yet. */
  private async acceptUsual(question: string | RegExp): Promise<void> {
    const box = this.placeholder(question);
    await box.waitFor();
    await expect
      .poll(
        async () => {
          await this.workbench.page.keyboard.press('Enter');
          return box.waitFor({ state: 'hidden', timeout: 2_000 }).then(
            () => 'answered',
            () => 'asked',
          );
        },
        { timeout: 20_000 },
      )
      .toBe('answered');
  }

  /** What is said in the list's box: what a training will take, or how far one came that is paused. */
  placeholder(text: string | RegExp): Locator {
    return this.workbench.quickInput.getByPlaceholder(text);
  }

  /** A line of the list that is shown. */
  choice(label: string): Locator {
    return this.workbench.quickInput.getByRole('option', { name: new RegExp(`${label}\\b`) }).first();
  }
}
