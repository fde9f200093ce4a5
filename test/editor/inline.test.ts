import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { InlineThread } from './pages/inline-thread.js';

const sample = useSample();
const session = useSession(() => ({ opened: { folder: sample().folder } }));

test('a question about selected lines is answered in place, with a link that opens the place', async () => {
  const { workbench } = session();
  const thread = new InlineThread(workbench);
  const { line } = await sample().placeOf('src/apple/apple-store.ts', 'addApple(one');
  await workbench.openFile('src/apple/apple-store.ts', line);
  await workbench.page.keyboard.press('Shift+ArrowDown');
  await workbench.page.keyboard.press('Shift+ArrowDown');
  await workbench.runCommand('Locret: Ask About Selection');
  await thread.ask('Where is `openLedger` defined?');
  const place = await sample().placeOf('src/ledger.ts', '/** Opens the ledger');
  const link = thread.answer.getByRole('link', { name: `${place.path}:${place.line}` });
  await link.waitFor({ timeout: 120_000 });
  await link.click();
  await workbench.activeTab.filter({ hasText: 'ledger.ts' }).waitFor();
  await expect.poll(() => workbench.cursorPosition.innerText()).toMatch(new RegExp(`Ln ${place.line},`));
});

test('the thread takes a follow-up', async () => {
  const { workbench } = session();
  const thread = new InlineThread(workbench);
  await workbench.openFile('src/apple/apple-store.ts');
  await thread.ask('Where is `BasketStore` defined?');
  await thread.answer
    .getByRole('link', { name: /^src\/basket\/basket-store\.ts:\d+/ })
    .first()
    .waitFor({ timeout: 120_000 });
  expect(await thread.comments.count()).toBe(4);
});

test('a symbol is explained in place', async () => {
  const { workbench } = session();
  const { line } = await sample().placeOf('src/ledger.ts', 'export function openLedger');
  await workbench.openFile('src/ledger.ts', line);
  await workbench.runCommand('Locret: Explain Symbol');
  const thread = new InlineThread(workbench);
  await thread.answer
    .getByRole('link', { name: /^src\/ledger\.ts:\d+/ })
    .first()
    .waitFor({ timeout: 120_000 });
});

test('a thread is deleted', async () => {
  const { workbench } = session();
  const thread = new InlineThread(workbench);
  await thread.act('Delete Thread');
  await expect.poll(() => workbench.page.locator('.review-widget').count()).toBe(0);
});
