import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const program = fileURLToPath(new URL('../../dist/locret.js', import.meta.url));
/** A user without rights of their own, where the tests run as one who may do everything. */
const nobody = 65534;

/** How long something may take that takes a second or two, milliseconds. */
const patience = 100_000;

/** How the program ended and what it printed. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  /** Typed or piped in; without it the standard input is empty. */
  readonly input?: string;
  /** Leaves the standard input open, to be written to. */
  readonly keepInputOpen?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Runs as a user whom permissions bind. */
  readonly asPlainUser?: boolean;
}

/** The program while it runs. */
export class RunningProgram {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => {
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until something holds, as long as the program runs. */
  async until(holds: () => boolean): Promise<void> {
    const started = performance.now();
    while (this.isRunning && !holds()) {
      if (performance.now() - started > patience) throw new Error(`It still waits: ${this.stdout}${this.stderr}`);
      await delay(5);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  type(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }
}

/** A place to run the program in: a folder for repositories and a cache folder, both of its own. */
export class Terminal {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'locret-faults-'));
  readonly cacheHome = path.join(this.folder, 'cache');
  readonly memories = path.join(this.cacheHome, 'locret', 'memories');

  constructor() {
    chmodSync(this.folder, 0o777);
  }

  /** Writes a repository and returns its folder. */
  repository(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
    const root = path.join(this.folder, name);
    mkdirSync(root, { recursive: true });
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), content);
    }
    return root;
  }

  start(argv: readonly string[], options: StartOptions = {}): RunningProgram {
    const user = options.asPlainUser === true && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
    const child = spawn(process.execPath, [program, ...argv], {
      cwd: this.folder,
      env: { ...process.env, INIT_CWD: this.folder, XDG_CACHE_HOME: this.cacheHome, ...options.environment },
      ...user,
    });
    // A program that has ended reads no more.
    child.stdin.on('error', () => undefined);
    if (options.keepInputOpen !== true) child.stdin.end(options.input ?? '');
    return new RunningProgram(child);
  }

  run(...argv: string[]): Promise<Ended> {
    return this.start(argv).ended;
  }

  ask(root: string, question: string, ...argv: string[]): Promise<Ended> {
    return this.run('ask', '--repo', root, ...argv, question);
  }

  /** True while a process reads a repository. */
  get isLocked(): boolean {
    return this.cached(/\.lock$/).length > 0;
  }

  /** Files in the cache whose path matches, relative to it. */
  cached(pattern: RegExp): string[] {
    try {
      const entries = readdirSync(this.cacheHome, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
      return files.map((file) => path.relative(this.cacheHome, file)).filter((file) => pattern.test(file));
    } catch {
      return [];
    }
  }

  /** Locks, and files that were not written to their end. */
  leftovers(): string[] {
    return this.cached(/\.(?:lock|takeover|partial)$/);
  }

  snapshots(): string[] {
    return this.cached(/\.memory$/).map((file) => path.join(this.cacheHome, file));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Expects the program to have ended by a foreseen failure: a message and a remedy, nothing else. */
export function expectFailure(ended: Ended, message: RegExp, status = 1): void {
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).not.toMatch(/unexpected error|\n\s+at |engine failed/i);
  expect(ended).toMatchObject({ status, signal: null, stdout: '' });
}

/** Expects an answer that leads to a place. */
export function expectAnswer(ended: Ended, link: string): void {
  expect(ended).toMatchObject({ status: 0, signal: null });
  expect(ended.stdout).toContain(`\n${link}`);
}

/** A small repository. */
export const apples = {
  'README.md': '# Apples\n\nCounts apples.\n',
  'apple.ts': '/** Counts apples. */\nexport function countApples(n: number): number {\n  return n + 1;\n}\n',
};
export const whereIsCountApples = 'Where is `countApples` defined?';

/** Source text that takes the bundled model a while to read. */
export function longSource(functions: number): string {
  return Array.from(
    { length: functions },
    (_, i) => `export function step${i}(value: number): number {\n  return value * ${i} + other${i % 7}(value);\n}\n`,
  ).join('\n');
}
