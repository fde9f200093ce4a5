import { test } from 'vitest';
import { useSample, useSession } from './fixtures.js';

const sample = useSample();
const session = useSession(() => ({ opened: { folder: sample().folder } }));

test('@locret answers in the chat of VS Code, where nobody is signed in', async () => {
  const { workbench } = session();
  const { page } = workbench;
  await workbench.runCommand('Chat: Open Chat');
  const box = workbench.panel.locator('.interactive-input-part .monaco-editor').first();
  await box.click();
  await page.keyboard.type('@locret ');
  await page.keyboard.insertText('Where is `openLedger` defined?');
  await page.keyboard.press('Enter');
  const answer = workbench.panel.locator('.interactive-response').last();
  const place = await sample().placeOf('src/ledger.ts', '/** Opens the ledger');
  await answer.getByText('read 26 of 26 files').waitFor({ timeout: 120_000 });
  await answer
    .locator('.chat-inline-anchor-widget')
    .filter({ hasText: `ledger.ts:${place.line}` })
    .click();
  await workbench.activeTab.filter({ hasText: 'ledger.ts' }).waitFor();
});
