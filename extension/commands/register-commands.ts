import * as vscode from 'vscode';
import type { ChatPanel } from '../chat/chat-panel.js';
import { displayLanguage } from '../text/display-language.js';
import { showFailure } from '../failures/failures.js';
import { readableFolders } from '../places/places.js';
import type { LocalSidecar } from '../sidecar/local-sidecar.js';
import { discardTraining, pauseTraining, trainHeads } from '../training/train-heads.js';
import { BegunTrainingStore } from '../training/training-choice.js';
import { ask } from './ask.js';
import { whyUnavailable, type Command } from './availability.js';
import { chooseModel } from '../models/choose-model.js';
import { readRoot, stopReading, updateRoot } from './reading.js';
import { Reports } from '../sidecar/reports.js';
import { forRoot } from './root-argument.js';
import { showUnavailable } from './unavailable.js';

/** What the commands work with. */
export interface CommandSurroundings {
  readonly sidecar: LocalSidecar;
  readonly chat: ChatPanel;
  readonly log: vscode.LogOutputChannel;
}

type Handler = (argument: unknown) => unknown;

/**
 * Registers the commands for the repository, the model and the sidecar. One that is not possible says why and what would
 * make it possible.
 */
export function registerCommands(context: vscode.ExtensionContext, { sidecar, chat, log }: CommandSurroundings): void {
  const begun = new BegunTrainingStore(context.workspaceState);
  const reports = new Reports(sidecar);
  const guarded: readonly (readonly [Command, Handler])[] = [
    ['askRepository', (question) => ask(sidecar, chat, question, false)],
    ['deepAsk', (question) => ask(sidecar, chat, question, true)],
    ['read', (root) => forRoot(sidecar, 'read', root, readRoot)],
    ['update', (root) => forRoot(sidecar, 'update', root, updateRoot)],
    ['pause', (root) => stopReading(sidecar, root, true)],
    ['cancel', (root) => stopReading(sidecar, root, false)],
    ['chooseModel', () => chooseModel(sidecar)],
    ['showPlan', (root) => forRoot(sidecar, 'showPlan', root, (_, named) => reports.showPlan(named))],
    ['showCoverage', (root) => forRoot(sidecar, 'showCoverage', root, (_, named) => reports.showCoverage(named))],
    ['unload', () => sidecar.request('locret/unload', {})],
    ['trainHeads', () => trainHeads({ sidecar, begun, reports })],
    ['pauseTraining', () => pauseTraining(sidecar)],
    ['discardTraining', () => discardTraining({ sidecar, begun, reports })],
  ];
  const always: readonly (readonly [string, Handler])[] = [
    ['restart', () => sidecar.restart()],
    [
      'showLog',
      () => {
        log.show();
      },
    ],
    ['openWalkthrough', () => openWalkthrough(`${context.extension.id}#start`)],
  ];
  context.subscriptions.push(
    reports,
    ...guarded.map(([command, run]) => register(command, guard(sidecar, begun, command, run))),
    ...always.map(([command, run]) => register(command, run)),
  );
}

function register(command: string, run: Handler): vscode.Disposable {
  return vscode.commands.registerCommand(`locret.${command}`, async (argument: unknown) => {
    try {
      await run(argument);
    } catch (error) {
      await showFailure(error);
    }
  });
}

/** Says why a command is not possible instead of running it. */
function guard(sidecar: LocalSidecar, begun: BegunTrainingStore, command: Command, run: Handler): Handler {
  return (argument) => {
    const { life, status } = sidecar;
    const circumstances = {
      life,
      status,
      hasFolder: readableFolders().length > 0,
      isTrusted: vscode.workspace.isTrusted,
      hasBegunTraining: begun.get() !== undefined,
    };
    const unavailable = whyUnavailable(command, circumstances, displayLanguage);
    return unavailable === undefined ? run(argument) : showUnavailable(unavailable);
  };
}

function openWalkthrough(id: string): Thenable<unknown> {
  return vscode.commands.executeCommand('workbench.action.openWalkthrough', id, false);
}
