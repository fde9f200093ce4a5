import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { ChatPanel } from './pages/chat-panel.js';

const orchard = useSample({ name: 'orchard' });
const garden = useSample({ name: 'garden' });
const session = useSession(async () => {
  await garden().write(
    'src/shed.ts',
    '/** Opens the shed. */\nexport function openShed(): boolean {\n  return true;\n}\n',
  );
  const workspace = path.join(orchard().folder, '..', 'both.code-workspace');
  await writeFile(workspace, JSON.stringify({ folders: [{ path: orchard().folder }, { path: garden().folder }] }));
  return { opened: { workspace } };
});

test('one of two folders is asked', async () => {
  const chat = new ChatPanel(session().workbench);
  await chat.open();
  await chat.page.getByRole('combobox', { name: 'Folder to ask' }).selectOption('garden');
  await chat.askAndWait('Where is `openShed` defined?');
  expect(await chat.answers.count()).toBe(1);
  await chat.links.filter({ hasText: 'src/shed.ts:1' }).waitFor();
});

test('both folders are asked, each answers from its own memory', async () => {
  const chat = new ChatPanel(session().workbench);
  await chat.page.getByRole('combobox', { name: 'Folder to ask' }).selectOption('All folders (2)');
  await chat.askAndWait('Where is `openLedger` defined?');
  expect(await chat.answers.count()).toBe(2);
  for (const name of ['orchard', 'garden']) {
    const answer = chat.page.getByRole('region', { name: `Answer from ${name}` }).last();
    await answer.getByRole('list', { name: 'Links' }).getByText('ledger.ts').first().waitFor();
  }
});

test('a link of the second folder opens the file of that folder', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await chat.page.getByRole('combobox', { name: 'Folder to ask' }).selectOption('garden');
  await chat.askAndWait('Where is `openShed` defined?');
  await chat.links.filter({ hasText: 'src/shed.ts:1' }).click();
  await workbench.activeTab.filter({ hasText: 'shed.ts' }).waitFor();
});
