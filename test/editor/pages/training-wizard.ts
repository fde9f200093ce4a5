import type { Locator } from 'playwright-core';
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
      await workbench.quickInput.getByPlaceholder(question).waitFor();
      await workbench.page.keyboard.press('Enter');
    }
    await workbench.quickInput.getByText(/Training steps, each on a sample/).waitFor();
    await workbench.quickInput.locator('input[type="text"]').fill(String(steps));
    await workbench.page.keyboard.press('Enter');
    await this.choice('Train').waitFor({ timeout: planMilliseconds });
  }

  /** What is said in the list's box: what a training will take, or how far one came that is paused. */
  placeholder(text: RegExp): Locator {
    return this.workbench.quickInput.getByPlaceholder(text);
  }

  /** A line of the list that is shown. */
  choice(label: string): Locator {
    return this.workbench.quickInput.getByRole('option', { name: new RegExp(`${label}\\b`) }).first();
  }
}
