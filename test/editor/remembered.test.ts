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
