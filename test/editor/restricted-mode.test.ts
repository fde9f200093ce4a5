import { test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { ChatPanel } from './pages/chat-panel.js';

const sample = useSample();
const session = useSession(async () => {
  // A repository from elsewhere names a model of its own.
  await sample().write('.vscode/settings.json', '{ "locret.model": "/nowhere/other-model" }\n');
  return {
    opened: { folder: sample().folder },
    settings: { 'security.workspace.trust.startupPrompt': 'never' },
    trusted: false,
  };
});

test('in restricted mode questions are answered, by the model of the user and not that of the folder', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await workbench.page.locator('[id="status.workspaceTrust"]').filter({ hasText: 'Restricted Mode' }).waitFor();
  await chat.open();
  await chat.askAndWait('Where is `openLedger` defined?');
  await chat.links.filter({ hasText: 'src/ledger.ts:' }).waitFor();
});

test('in restricted mode nothing is trained, and it is said why', async () => {
  const { workbench } = session();
  await workbench.runCommand('Locret: Train Retaining Heads');
  await workbench.notifications
    .filter({ hasText: 'Retaining heads are trained only on folders that you trust.' })
    .getByRole('button', { name: 'Manage Trust' })
    .waitFor();
});

test('once the folder is trusted, its model counts', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await workbench.runCommand('Workspaces: Manage Workspace Trust');
  await workbench.page.getByRole('button', { name: 'Trust', exact: true }).click();
  await workbench.page.locator('[id="status.workspaceTrust"]').waitFor({ state: 'detached' });
  await chat.open();
  await chat.askAndWait('Where is `ledger` defined?');
  await chat.answers.filter({ hasText: '/nowhere/other-model' }).waitFor();
});
