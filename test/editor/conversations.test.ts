import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { ChatPanel } from './pages/chat-panel.js';

const sample = useSample();
const session = useSession(() => ({ opened: { folder: sample().folder } }));

test('a new conversation leaves the one before in the list, from where it comes back', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await chat.open();
  await chat.askAndWait('Where is `openLedger` defined?');
  await workbench.runCommand('Locret: New Conversation');
  await expect.poll(() => chat.turns.count()).toBe(0);
  await workbench.runCommand('Locret: Show Conversations');
  await chat.page.getByRole('button', { name: /Where is `?openLedger`? defined\?/ }).click();
  await expect.poll(() => chat.turns.count()).toBe(1);
});

test('an exported conversation is a document whose links open the places', async () => {
  const { workbench } = session();
  const place = await sample().placeOf('src/ledger.ts', '/** Opens the ledger');
  await workbench.runCommand('Locret: Export Conversation');
  await workbench.activeTab.filter({ hasText: '.locret.md' }).waitFor();
  await workbench.page.locator('[id="status.editor.mode"]').filter({ hasText: 'Locret' }).waitFor();
  const link = workbench.page
    .locator('.part.editor .view-line .detected-link')
    .filter({ hasText: `ledger.ts:${place.line}` });
  await link.first().click({ modifiers: ['Control'] });
  await workbench.activeTab.filter({ hasText: 'ledger.ts' }).waitFor();
  await expect.poll(() => workbench.cursorPosition.innerText()).toMatch(new RegExp(`Ln ${place.line},`));
});
