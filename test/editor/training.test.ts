import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { ChatPanel } from './pages/chat-panel.js';
import { TrainingWizard } from './pages/training-wizard.js';

const sample = useSample();
const session = useSession(() => ({ opened: { folder: sample().folder } }));
const trainingMilliseconds = 180_000;

/** `Locret. Training retaining heads for nano: step 12 of 400 · loss 1.2` → 12 */
function stepOf(status: string): number {
  return Number(/step ([\d,]+) of/.exec(status)?.[1]?.replace(',', ''));
}

/** Every settings file of the profile, as one text. */
async function settings(): Promise<string> {
  const folder = path.join(session().profile.folder, 'user-data');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('settings.json'));
  return (await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')))).join('\n');
}

test('heads are trained from the palette, with progress, and used', async () => {
  const { workbench, profile } = session();
  const wizard = new TrainingWizard(workbench);
  await wizard.choose(3);
  await wizard.placeholder(/^\d+ files to train on, \d+ to measure on; takes \d+ MB of memory$/).waitFor();
  await wizard
    .choice('Train')
    .filter({ hasText: /3 steps on samples of 512 tokens, about \d+/ })
    .waitFor();
  const heads = path.join(profile.folder, 'home/.local/share/locret/heads/nano-contribution-qkv.safetensors');
  await wizard.choice('Train').filter({ hasText: heads }).click();
  await workbench.waitForStatus(/Training retaining heads for nano: step \d of 3 · loss \d/);
  await workbench.notifications.filter({ hasText: /Training retaining heads for nano.*step \d of 3/ }).waitFor();

  const done = workbench.notifications.filter({ hasText: 'Retaining heads for nano are trained.' });
  await done.waitFor({ timeout: trainingMilliseconds });
  expect(await done.innerText()).toMatch(/find a share of 0\.\d+ of the tenth.*chance is 0\.10/);
  await done.getByRole('button', { name: 'Show Report' }).click();
  await workbench.activeTab.filter({ hasText: 'training.md' }).waitFor();
  await done.getByRole('button', { name: 'Use These Heads' }).click();
  await workbench.notifications.filter({ hasText: 'These heads are used from now on' }).waitFor();
  await expect.poll(settings).toContain(heads);

  const chat = new ChatPanel(workbench);
  await chat.open();
  await chat.askAndWait('Where is `openLedger` defined?');
  await chat.links.filter({ hasText: 'src/ledger.ts:' }).waitFor();
});

test('a training that the end of the editor interrupted is found again, goes on and can be given up', async () => {
  const before = new TrainingWizard(session().workbench);
  await before.choose(400);
  await before.choice('Train').click();
  await session().workbench.waitForStatus(/step [2-9] of 400/, trainingMilliseconds);
  const made = stepOf(await session().workbench.status());
  await session().restart();

  const { workbench } = session();
  const wizard = new TrainingWizard(workbench);
  await workbench.runCommand('Locret: Train Retaining Heads');
  const paused = wizard.placeholder(/The training of heads for nano is paused after step \d+ of 400/);
  await paused.waitFor();
  expect(stepOf((await paused.getAttribute('placeholder')) ?? '')).toBeGreaterThanOrEqual(made);
  await wizard.choice('Go On').click();
  await workbench.waitForStatus(/step \d+ of 400 · loss/, trainingMilliseconds);
  expect(stepOf(await workbench.status())).toBeGreaterThan(made);

  const running = workbench.notifications.filter({ hasText: 'Training retaining heads for nano' });
  await running.getByRole('button', { name: 'Cancel' }).click();
  const told = workbench.notifications.filter({ hasText: /is paused after step \d+ of 400/ });
  await told.getByRole('button', { name: 'Give It Up…' }).click();
  await workbench.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Give Up' }).click();
  await workbench.notifications.filter({ hasText: 'The training was given up.' }).waitFor();
  await workbench.runCommand('Locret: Train Retaining Heads');
  await wizard.placeholder(/The model that heads are trained for/).waitFor();
});
