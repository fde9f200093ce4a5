import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { ChatPanel } from './pages/chat-panel.js';

/** Large enough that there is time to stop. */
const sample = useSample({ functionsPerFile: 80 });
const session = useSession(() => ({ opened: { folder: sample().folder } }));

/** `Locret. orchard: paused at 34 %` → 34 */
function percentOf(status: string): number {
  return Number(/(\d+) %/.exec(status)?.[1]);
}

test('a reading that is interrupted by the end of the editor goes on where it was', async () => {
  await session().workbench.runCommand('Locret: Read Repository');
  await session().workbench.waitForStatus(/orchard: reading: [2-9]\d %/);
  const before = percentOf(await session().workbench.status());
  await session().restart();

  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await workbench.waitForStatus(/orchard: paused at \d+ %/);
  expect(percentOf(await workbench.status())).toBeGreaterThanOrEqual(before);
  await chat.open();
  await chat.memory.getByRole('button', { name: 'Continue' }).click();
  await workbench.waitForStatus(/orchard: reading: [2-9]\d %/);
});

test('reading is paused and goes on', async () => {
  const { workbench } = session();
  await workbench.runCommand('Locret: Pause Reading');
  await workbench.waitForStatus(/orchard: paused at \d+ %/);
  await workbench.runCommand('Locret: Read Repository');
  await workbench.waitForStatus(/orchard: ready$/);
  await workbench.notifications.filter({ hasText: 'Reading orchard' }).waitFor({ state: 'detached' });
});

test('a question that is stopped before it is answered comes back to be asked again', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  const question = 'What does `openLedger` do?';
  await chat.open();
  await chat.ask(question, { deep: true });
  await chat.answers.filter({ hasText: 'Reading the repository again' }).waitFor();
  await chat.stopButton.click();
  await expect.poll(() => chat.question.inputValue()).toBe(question);
  expect(await chat.deepSwitch.getAttribute('aria-pressed')).toBe('true');
  await workbench.waitForStatus(/orchard: ready$/);
});

test('the next question is answered', async () => {
  const chat = new ChatPanel(session().workbench);
  await chat.askAndWait('Where is `openLedger` defined?');
  await chat.links.filter({ hasText: 'src/ledger.ts:' }).waitFor();
});
