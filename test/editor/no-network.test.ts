import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useSample, useSession } from './fixtures.js';
import { descendantsOf, remoteAddressesOf, sidecarsBelow } from './installation/processes.js';
import { ChatPanel } from './pages/chat-panel.js';
import { TrainingWizard } from './pages/training-wizard.js';

const script = new URL('installation/connection-log.mjs', import.meta.url);
let folder: string;
const log = () => path.join(folder, 'connections.jsonl');

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'locret-connections-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});
const sample = useSample();
const session = useSession(() => {
  return {
    opened: { folder: sample().folder },
    environment: { LOCRET_TEST_CONNECTIONS: log() },
    prepare: async (extension) => {
      // VS Code passes no NODE_OPTIONS on to its children, so each program loads the log by itself.
      const load = async (program: string, line: string) => {
        const file = path.join(extension, 'dist', program);
        await writeFile(file, `${line}\n${await readFile(file, 'utf8')}`);
      };
      await load('extension.cjs', `require(${JSON.stringify(fileURLToPath(script))});`);
      await load('sidecar.js', `import ${JSON.stringify(script.href)};`);
      await load('engine-worker.js', `import ${JSON.stringify(script.href)};`);
      await load('training-process.js', `import ${JSON.stringify(script.href)};`);
    },
  };
});

interface Connection {
  readonly argv: readonly string[];
  /** Undefined: the process was started. */
  readonly target?: string;
  readonly stack: string;
}

function isConnection(value: unknown): value is Connection {
  return typeof value === 'object' && value !== null && 'argv' in value && 'stack' in value;
}

async function connections(file: string): Promise<readonly Connection[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line): unknown => JSON.parse(line)).filter(isConnection);
}

/** Runs in a process of its own: the sidecar, or its worker. */
const isOfSidecar = ({ argv }: Connection) => argv.some((argument) => /(sidecar|engine-worker)\.js$/.test(argument));

test('the log notices who wants a connection', async () => {
  const file = path.join(folder, 'control.jsonl');
  // An address that is reserved for documentation: nobody has it.
  const program = `import ${JSON.stringify(script.href)}; import net from 'node:net'; net.connect(9, '192.0.2.1').destroy();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, LOCRET_TEST_CONNECTIONS: file },
  });
  expect((await connections(file)).map(({ target }) => target)).toEqual([undefined, '192.0.2.1:9']);
});

test('reading and answering contacts no other machine', async () => {
  const { workbench, server } = session();
  const chat = new ChatPanel(workbench);
  const remote = new Set<string>();
  const look = async () => {
    for (const { pid } of await sidecarsBelow(server.pid)) {
      for (const address of await remoteAddressesOf(pid)) remote.add(address);
    }
  };
  await workbench.runCommand('Locret: Choose Model');
  await workbench.quickInput.getByText('nano').first().waitFor();
  await workbench.page.keyboard.press('Escape');
  await chat.open();
  await chat.ask('Where is `openLedger` defined?');
  await look();
  await chat.waitForAnswer();
  await look();
  await chat.ask('What does `openLedger` do?', { deep: true });
  await look();
  await chat.waitForAnswer();
  await look();

  expect([...remote]).toEqual([]);
  const seen = await connections(log());
  const started = seen.filter(({ target }) => target === undefined);
  expect(started.filter(isOfSidecar).length, 'the sidecar and its worker').toBe(2);
  expect(started.length, 'and the extension').toBe(3);
  const wanted = seen.filter(({ target }) => target !== undefined);
  expect(wanted.filter(isOfSidecar)).toEqual([]);
  // Other extensions share the extension host.
  expect(wanted.filter(({ stack }) => stack.includes('locret.locret-'))).toEqual([]);
  expect(workbench.foreignRequests).toEqual([]);
});

test('training contacts no other machine', async () => {
  const { workbench, server } = session();
  const isTraining = ({ argv }: { readonly argv: readonly string[] }) =>
    argv.some((argument) => argument.endsWith('training-process.js'));
  const remote = new Set<string>();
  const wizard = new TrainingWizard(workbench);
  await wizard.choose(1);
  await wizard.choice('Train').click();
  const done = workbench.notifications.filter({ hasText: 'Retaining heads for nano are trained.' });
  await expect
    .poll(
      async () => {
        for (const { pid } of (await descendantsOf(server.pid)).filter(isTraining)) {
          for (const address of await remoteAddressesOf(pid)) remote.add(address);
        }
        return done.isVisible();
      },
      { timeout: 120_000, interval: 200 },
    )
    .toBe(true);
  expect([...remote]).toEqual([]);
  const ofTraining = (await connections(log())).filter(isTraining);
  expect(ofTraining.map(({ target }) => target)).toEqual([undefined, undefined]);
});
