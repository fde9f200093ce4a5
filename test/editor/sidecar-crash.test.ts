import { expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { sidecarsBelow } from './installation/processes.js';
import { ChatPanel } from './pages/chat-panel.js';

const sample = useSample();
const session = useSession(() => ({ opened: { folder: sample().folder } }));

/** Waits for the only sidecar there is, and ends it as the system does when memory runs out. */
async function killSidecar(): Promise<number> {
  await expect.poll(async () => (await sidecarsBelow(session().server.pid)).length).toBe(1);
  const [sidecar] = await sidecarsBelow(session().server.pid);
  if (sidecar === undefined) throw new Error('There is no sidecar.');
  process.kill(sidecar.pid, 'SIGKILL');
  await expect
    .poll(async () => (await sidecarsBelow(session().server.pid)).map(({ pid }) => pid))
    .not.toContain(sidecar.pid);
  return sidecar.pid;
}

test('the sidecar is restarted once, with its memory, and the conversation goes on', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await chat.open();
  await chat.askAndWait('Where is `openLedger` defined?');
  await killSidecar();
  await workbench.waitForStatus(/orchard: read earlier; its snapshot is restored/);
  await chat.askAndWait('Where is `AppleReport` defined?');
  await chat.links.filter({ hasText: 'reports/apple_report.py' }).first().waitFor();
  expect(await chat.turns.count()).toBe(2);
  await chat.coverage(/^[\d.,]+ s$|ms$/).click();
  await chat.details.filter({ hasText: 'restored from its snapshot' }).waitFor();
});

test('a second crash within a minute stops it, with the reason and what to do', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await killSidecar();
  await workbench.locretStatus.filter({ hasText: 'stopped' }).waitFor();
  await workbench.notifications.filter({ hasText: 'Restart' }).first().waitFor();
  await chat.memory.filter({ hasText: 'The sidecar is stopped' }).waitFor();
  expect(await sidecarsBelow(session().server.pid)).toEqual([]);
});

test('it is started again by hand', async () => {
  const { workbench } = session();
  const chat = new ChatPanel(workbench);
  await chat.memory.getByRole('button', { name: 'Restart' }).click();
  await workbench.waitForStatus(/orchard: read earlier/);
  await chat.askAndWait('Where is `PressStore` defined?');
  await chat.links.filter({ hasText: 'src/press/press-store.ts' }).first().waitFor();
});

test('the sidecar ends when the editor is killed', async () => {
  const [sidecar] = await sidecarsBelow(session().server.pid);
  expect(sidecar).toBeDefined();
  await session().workbench.close();
  await session().server.stop();
  expect(await sidecarsBelow(1).then((list) => list.map(({ pid }) => pid))).not.toContain(sidecar?.pid);
});
