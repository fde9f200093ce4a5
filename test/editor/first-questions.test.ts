import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { ChatPanel } from './pages/chat-panel.js';

const sample = useSample({ functionsPerFile: 20 });
const session = useSession(() => ({
  opened: { folder: sample().folder },
  settings: { 'locret.autoUpdateSeconds': 3, 'editor.autoClosingComments': 'never' },
}));

test('the repository is read, and the window shows how far', async () => {
  const { workbench } = session();
  await workbench.runCommand('Locret: Read Repository');
  await workbench.waitForStatus(/orchard: reading: \d+ % · \d+ of 26 files/);
  await workbench.notifications.filter({ hasText: /Reading orchard: \d+ %/ }).waitFor();
  await workbench.waitForStatus(/orchard: ready$/);
  await workbench.notifications.filter({ hasText: 'Reading orchard' }).waitFor({ state: 'detached' });
});

test('a question in the panel gets an answer with a link that opens the place', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await chat.open();
  const place = await sample().placeOf('src/ledger.ts', '/** Opens the ledger');
  await chat.askAndWait('Where is `openLedger` defined?');

  const link = chat.links.filter({ hasText: `${place.path}:${place.line}` });
  await link.click();
  await workbench.activeTab.filter({ hasText: 'ledger.ts' }).waitFor();
  await expect.poll(() => workbench.cursorPosition.innerText()).toMatch(new RegExp(`Ln ${place.line},`));
});

test('the line under an answer tells what it rests on, and opens the particulars', async () => {
  const chat = new ChatPanel(session().workbench);
  await chat.coverage(/^read 26 of 26 files$/).click();
  await chat.details.getByRole('button', { name: /ledger\.ts/ }).waitFor();
  await chat.coverage(/^recall 1 definition$/).click();
  await chat.details.filter({ hasText: 'the question gives its name' }).waitFor();
});

test('an answer is shown while it grows', async () => {
  const chat = new ChatPanel(session().workbench);
  // The bundled model's answers are short: on a busy machine one may come in a single piece.
  const shown: number[] = [];
  for (const name of ['AppleStore', 'BasketReport', 'CellarStore', 'CrateReport']) {
    shown.push(await chat.countAnswerTexts(() => chat.askAndWait(`Where is \`${name}\` defined?`)));
  }
  // None, a part, all.
  expect(Math.max(...shown)).toBeGreaterThanOrEqual(3);
});

test('a file that is edited is stale at once, is folded in after a pause and is then answered from', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await workbench.openFile('src/ledger.ts');
  await workbench.page.keyboard.press('Control+End');
  await workbench.page.keyboard.insertText(
    '\n/** Closes the ledger of a year. */\nexport function closeLedger(): void {}\n',
  );
  await workbench.page.keyboard.press('Control+s');
  await workbench.waitForStatus(/orchard: ready; 1 file changed/);
  await workbench.waitForStatus(/orchard: ready$/);

  await chat.open();
  await chat.askAndWait('Where is `closeLedger` defined?');
  const place = await sample().placeOf('src/ledger.ts', '/** Closes the ledger');
  await chat.links.filter({ hasText: `${place.path}:${place.line}` }).waitFor();
});

test('a file that another program adds is folded in, too', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await sample().write(
    'src/weather.ts',
    '/** Tells the rain of a day. */\nexport function rainOfDay(): number {\n  return 0;\n}\n',
  );
  await workbench.waitForStatus(/orchard: ready; 1 file changed/);
  await workbench.waitForStatus(/orchard: ready$/);
  await chat.open();
  await chat.askAndWait('Where is `rainOfDay` defined?');
  await chat.links.filter({ hasText: 'src/weather.ts:1' }).waitFor();
});

test('after a restart of the editor the conversation is there and answers come from the snapshot', async () => {
  await session().restart();
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await workbench.waitForStatus(/orchard: read earlier; its snapshot is restored/);
  await chat.open();
  await expect.poll(() => chat.turns.count()).toBe(7);
  await chat.askAndWait('Where is `PressStore` defined?');
  await chat.links.filter({ hasText: 'src/press/press-store.ts' }).first().waitFor();
  await chat.coverage(/^[\d.,]+ s$|ms$/).click();
  await chat.details.filter({ hasText: 'restored from its snapshot' }).waitFor();
});

test('nothing but the editor was contacted by its window', () => {
  expect(session().workbench.foreignRequests).toEqual([]);
});
