import { pathToFileURL } from 'node:url';
import { withDefaults } from '../contract/setting.js';
import { settings } from '../contract/settings.js';
import { DocumentOutlines } from '../service/document-outlines.js';
import { serviceOf } from '../service/service.js';
import type { Service } from '../service/use-case.js';
import type { RootMemory } from '../workspace/root-memory.js';
import type { ChosenSettings } from '../workspace/settings.js';
import { Workspace, type WorkspaceHooks } from '../workspace/workspace.js';
import { printable } from './exit.js';
import type { AnswerOptions, ReadingOptions } from './options.js';
import { ProgressBar } from './progress.js';

/** A workspace without an editor: it does what a command is told to. */
export function terminalWorkspace(
  options: Partial<ChosenSettings> = {},
  hooks: Partial<WorkspaceHooks> = {},
): Workspace {
  const quiet = { onChange: () => undefined, onTraining: () => undefined, log: () => undefined };
  const chosen = { ...withDefaults(settings, {}), ...options };
  return new Workspace(
    { ...quiet, ...hooks },
    { ...chosen, autoUpdateSeconds: 0, idleUnloadMinutes: 0, trusted: true },
  );
}

/** What a workspace can be asked for; a terminal has no documents open. */
export function serviceOfTerminal(workspace: Workspace): Service {
  return serviceOf(workspace, new DocumentOutlines());
}

/** A call of the terminal, which shows what it asked for when it is whole. */
export function callUntil(signal: AbortSignal): { readonly signal: AbortSignal; readonly onPartial: () => void } {
  return { signal, onPartial: () => undefined };
}

/**
 * The repository that a command line names. Where a command shows more than the contract tells (all that an answer or a
 * plan rests on), it takes that from the root itself.
 */
export interface TerminalRoot {
  readonly root: RootMemory;
  readonly service: Service;
  /** Shows how far reading is, on the standard error stream. */
  readonly bar: ProgressBar;
}

/** Prints what the user should know beside the output proper. */
export function printNotice(notice: string): void {
  process.stderr.write(`${printable(notice)}\n`);
}

/**
 * Runs a task on the repository that a command line names; shows what is being read meanwhile. Afterwards the model's
 * memory is freed, and what was read of an interrupted reading is kept.
 */
export async function withRoot<Result>(
  options: ReadingOptions & Partial<AnswerOptions>,
  task: (opened: TerminalRoot) => Promise<Result>,
): Promise<Result> {
  const bar = new ProgressBar();
  const workspace = terminalWorkspace(options, {
    onChange: () => {
      if (root.progress !== undefined) bar.show(root.progress);
    },
    onFile: (filesSeen) => {
      bar.showSurvey(filesSeen);
    },
    onNotice: (_, notice) => {
      bar.end();
      printNotice(notice);
    },
  });
  const root = workspace.add(pathToFileURL(options.repo).href, options.repo);
  try {
    return await task({ root, service: serviceOfTerminal(workspace), bar });
  } finally {
    bar.end();
    await workspace.close();
  }
}
