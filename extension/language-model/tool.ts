import * as vscode from 'vscode';
import { ask } from '../ask/ask.js';
import { readableFolders } from '../places/places.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';
import { answerForModel } from '../ask/answer-text.js';
import { defaultRoot } from './default-root.js';

const toolName = 'locret_askRepository';

/** What the manifest's schema lets a model say. */
interface AskRepositoryInput {
  readonly question: string;
  /** Name of a workspace folder. */
  readonly folder?: string;
  readonly deep?: boolean;
}

/** The tool with which any model in VS Code asks the memory. What it returns is read by that model, hence in English. */
export function registerTool(sidecar: Sidecar): vscode.Disposable {
  return vscode.lm.registerTool<AskRepositoryInput>(toolName, {
    prepareInvocation({ input }) {
      const invocationMessage = vscode.l10n.t('Asking the repository: {0}', input.question);
      if (input.deep !== true) return { invocationMessage };
      return {
        invocationMessage,
        confirmationMessages: {
          title: vscode.l10n.t('Read the whole repository again?'),
          message: vscode.l10n.t('Locret reads every file again with this question first: {0}', input.question),
        },
      };
    },
    async invoke({ input }, token) {
      const text = await textFor(sidecar, input, token);
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    },
  });
}

async function textFor(sidecar: Sidecar, input: AskRepositoryInput, token: vscode.CancellationToken): Promise<string> {
  const folders = readableFolders();
  const named = folders.find(({ name }) => name === input.folder)?.uri.toString();
  const root = input.folder === undefined ? defaultRoot() : named;
  if (root === undefined) {
    const names = folders.map(({ name }) => `"${name}"`).join(', ');
    return folders.length === 0
      ? 'Not answered: no folder is open. Ask the user to open the repository.'
      : `Not answered: there is no workspace folder "${input.folder ?? ''}". Use one of ${names}, or leave "folder" out.`;
  }
  try {
    const mode = input.deep === true ? 'deep' : 'memory';
    return answerForModel(await ask(sidecar, { root, question: input.question, mode }, { token }));
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    if (error.code === 'cancelled') throw new vscode.CancellationError();
    return `Not answered: ${error.message} ${error.remedy}`;
  }
}
