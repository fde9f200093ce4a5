import type { FrameLocator, Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { RememberedView } from './pages/remembered-view.js';

const sample = useSample();
const session = useSession(() => ({ opened: { folder: sample().folder } }));

test('the view shows the share that is kept of folders and files, and opens a file', async () => {
  const { workbench } = session();
  await workbench.runCommand('Locret: Read Repository');
  await workbench.waitForStatus(/orchard: ready$/);
  const view = new RememberedView(workbench);
  await view.open();
  await view.row(/^reports, [\d.]+ % kept/).click();
  await view.row(/^apple_report\.py, [\d.]+ % kept/).click();
  await workbench.activeTab.filter({ hasText: 'apple_report.py' }).waitFor();
});

test('lines are shaded by what is kept of them, and a hover says how much', async () => {
  const { workbench } = session();
  const shaded = workbench.page.locator('.part.editor .view-overlays [class*="ced-"]');
  await workbench.openFile('apple_report.py');
  const before = await shaded.count();
  await workbench.runCommand('Locret: Shade Lines by Retention');
  await expect.poll(() => shaded.count()).toBeGreaterThan(before);
  await workbench.runCommand('Locret: Shade Lines by Retention');
  await expect.poll(() => shaded.count()).toBe(before);
});

test('a report that stands open is there again after a restart of the editor, once its memory is', async () => {
  const page = (): FrameLocator =>
    session()
      .workbench.page.frameLocator('iframe.webview.ready[src*="extensionId=vscode.markdown-language-features"]')
      .frameLocator('#active-frame');
  const title = (): Locator => page().getByRole('heading', { name: 'What was read of orchard' });
  await session().workbench.runCommand('Locret: Show What Was Read');
  await title().waitFor();
  // The page's own script keeps what page it is.
  await expect.poll(() => page().locator('html').evaluate('document.readyState')).toBe('complete');
  await session().restart();
  await page().getByText('orchard has not been read in this session. Read the repository first.').waitFor();
  await session().workbench.runCommand('Locret: Read Repository');
  await title().waitFor();
});
