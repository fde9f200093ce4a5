import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import type { EditorInstallation } from './editor-installation.js';
import type { Profile } from './profile.js';

const startMilliseconds = 60_000;
const stopMilliseconds = 15_000;
/** It ends by itself when no browser has been there for so long: nothing is left of a test that was killed. */
const idleSeconds = 180;

export interface ServerOptions {
  /** False: folders are opened in restricted mode until they are trusted. */
  readonly trusted?: boolean;
  /** Lets a test suite run in the extension host; the editor shows no notifications then. */
  readonly smokeTestDriver?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Default: one that is free. What the browser keeps belongs to its address, port included. */
  readonly port?: number;
}

/** A running editor: its server process and everything that it started. */
export interface EditorServer {
  /** Where the browser finds it. */
  readonly url: string;
  readonly pid: number;
  /** What it printed. */
  output(): string;
  /** Ends it with all its children; resolves when they are gone. */
  stop(): Promise<void>;
}

function isGroupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // They have ended by themselves.
  }
}

/** Ends a process, waits for what it has started to end by itself, and ends what has not. */
async function stopGroup(leader: ChildProcess, pid: number): Promise<void> {
  leader.kill('SIGTERM');
  const end = Date.now() + stopMilliseconds;
  while (isGroupAlive(pid) && Date.now() < end) await setTimeout(50);
  killGroup(pid);
}

/**
 * Starts the editor on this machine only, as a process group of its own.
 *
 * @throws Error with what it printed when it does not listen within a minute
 */
export async function startServer(
  installation: EditorInstallation,
  profile: Profile,
  options: ServerOptions = {},
): Promise<EditorServer> {
  const argv = [
    ...profile.argv,
    ...['--bind-addr', `127.0.0.1:${options.port ?? 0}`, '--auth', 'none', '--idle-timeout-seconds', `${idleSeconds}`],
    ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
    ...(options.trusted === false ? [] : ['--disable-workspace-trust']),
    ...(options.smokeTestDriver === true ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
  ];
  const server = spawn(installation.node, argv, {
    cwd: profile.folder,
    env: { ...profile.environment, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = server;
  if (pid === undefined) throw new Error(`${installation.node} could not be started.`);
  const kill = () => {
    killGroup(pid);
  };
  process.once('exit', kill);
  let output = '';
  const listening = new Promise<string>((resolve, reject) => {
    const collect = (data: Buffer) => {
      output += data.toString();
      const url = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    };
    server.stdout.on('data', collect);
    server.stderr.on('data', collect);
    server.once('exit', (code) => {
      reject(new Error(`The editor ended with ${code} before it listened:\n${output}`));
    });
  });
  const stop = async () => {
    await stopGroup(server, pid);
    process.off('exit', kill);
  };
  const late = setTimeout(startMilliseconds, undefined, { ref: false });
  const url = await Promise.race([listening, late]);
  if (url !== undefined) return { url, pid, output: () => output, stop };
  await stop();
  throw new Error(`The editor did not listen within ${startMilliseconds / 1000} s:\n${output}`);
}
