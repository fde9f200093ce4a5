import type { Locator } from 'playwright-core';
import type { Workbench } from './workbench.js';

/** The view *What Is Remembered* in the explorer. */
export class RememberedView {
  constructor(private readonly workbench: Workbench) {}

  async open(): Promise<void> {
    await this.workbench.runCommand('Locret: Show What Is Remembered');
  }

  /** A row, by what it is called for screen readers, as `ledger.ts, 2.1 % kept`. */
  row(label: RegExp): Locator {
    return this.workbench.page
      .locator('.pane', { has: this.workbench.page.getByRole('button', { name: /^What Is Remembered/ }) })
      .getByRole('treeitem', { name: label });
  }
}
