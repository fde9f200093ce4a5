import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How a process ended. */
export interface ProcessExit {
  /** Negative when it could not be started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines it wrote to its outputs, oldest first; what kept it from starting. */
  readonly lastOutput: readonly string[];
}

export interface ProcessOptions {
  /** Absolute path of the sidecar's program. */
  readonly module: string;
  /** Called with every line that the process writes to its outputs. */
  readonly onLine: (line: string, output: 'stdout' | 'stderr') => void;
}

const keptLines = 20;
/** A small nursery keeps the process's memory flat while a repository is read. */
const nursery = '--max-semi-space-size=4';

/**
 * What lets a debugger in: LOCRET_INSPECT_SIDECAR is the port on which Node.js then listens, on this machine alone. It is
 * set by .vscode/launch.json.
 */
function inspector({ LOCRET_INSPECT_SIDECAR: port }: NodeJS.ProcessEnv): readonly string[] {
  return port === undefined || port === '' ? [] : [`--inspect=127.0.0.1:${port}`];
}

/**
 * The sidecar's process: a Node.js program with a channel for messages. It is a child of the extension host and ends by
 * itself when the host does.
 */
export class SidecarProcess {
  /** Where messages go to and come from. */
  readonly channel: ChildProcess;
  /** Resolves when the process is gone and all its output was read. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  private readonly lastOutput: string[] = [];

  constructor({ module, onLine }: ProcessOptions) {
    this.channel = fork(module, [], {
      // In VS Code for desktops this is Electron, which runs as Node.js when it is told to.
      execPath: process.execPath,
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', ELECTRON_NO_ASAR: '1' },
      execArgv: [nursery, ...inspector(process.env)],
      silent: true,
    });
    this.keepLines('stdout', onLine);
    this.keepLines('stderr', onLine);
    this.exited = new Promise((resolve) => {
      this.channel.on('error', (error) => {
        this.keep(error.message);
      });
      this.channel.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal, lastOutput: this.lastOutput });
      });
    });
  }

  /** Undefined when it could not be started. */
  get id(): number | undefined {
    return this.channel.pid;
  }

  /** Ends the process at once; what it has not written is lost. */
  kill(): void {
    this.channel.kill('SIGKILL');
  }

  private keepLines(output: 'stdout' | 'stderr', onLine: ProcessOptions['onLine']): void {
    const input = this.channel[output];
    if (input === null) return;
    createInterface({ input, crlfDelay: Infinity }).on('line', (line) => {
      this.keep(line);
      onLine(line, output);
    });
  }

  private keep(line: string): void {
    this.lastOutput.push(line);
    if (this.lastOutput.length > keptLines) this.lastOutput.shift();
  }
}
