import * as vscode from 'vscode';
import { ask } from '../ask/ask.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';
import { answerMarkdown } from '../ask/answer-text.js';
import { displayLanguage } from '../text/display-language.js';
import { defaultRoot } from './default-root.js';
import { LinklessStream } from '../text/linkless-markdown.js';
import { lastQuestion, type ChatText } from './turns.js';

const vendor = 'locret';

/** Characters per token, as a rule of thumb: the chat asks before any model is loaded. */
const charactersPerToken = 4;
/** What chats may send: a question and earlier turns. The repository does not count, it is in the memory. */
const inputTokens = 8_192;
const outputTokens = 2_048;

/** The memory as a model that the chat offers: its answers are those of `locret/ask` to the last question. */
class RepositoryModel implements vscode.LanguageModelChatProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeLanguageModelChatInformation = this.changed.event;
  private readonly subscription: vscode.Disposable;
  private model: string;

  constructor(private readonly sidecar: Sidecar) {
    this.model = sidecar.status.model;
    this.subscription = sidecar.onDidChangeStatus(({ model }) => {
      if (model === this.model) return;
      this.model = model;
      this.changed.fire();
    });
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  provideLanguageModelChatInformation(): vscode.LanguageModelChatInformation[] {
    return [
      {
        id: 'repository',
        name: vscode.l10n.t('Locret: this repository'),
        family: 'locret',
        version: '1',
        detail: this.model,
        tooltip: vscode.l10n.t('Answers from the memory of the open folder, on this machine.'),
        maxInputTokens: inputTokens,
        maxOutputTokens: outputTokens,
        // It never calls a tool. But VS Code's chat lists only models that might, and where it lists none (nobody is
        // signed in to another) it does not even let a participant answer.
        capabilities: { toolCalling: true, imageInput: false },
      },
    ];
  }

  async provideLanguageModelChatResponse(
    _model: vscode.LanguageModelChatInformation,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    _options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const asked = lastQuestion(messages.map(chatText));
    const root = defaultRoot();
    if (asked === undefined) throw new Error(vscode.l10n.t('The chat does not end with a question.'));
    if (root === undefined)
      throw new Error(vscode.l10n.t('No folder is open. Open the repository you want to ask about.'));
    const show = (text: string): void => {
      if (text !== '') progress.report(new vscode.LanguageModelTextPart(text));
    };
    const shown = new LinklessStream();
    try {
      const result = await ask(
        this.sidecar,
        { root, ...asked },
        {
          token,
          onPartial: (partial) => {
            if (partial.kind === 'text') show(shown.push(partial.text));
          },
        },
      );
      show(`${shown.end()}\n\n${answerMarkdown({ ...result, text: '' }, displayLanguage)}`);
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      if (error.code === 'cancelled') throw new vscode.CancellationError();
      throw new Error(`${error.message} ${error.remedy}`, { cause: error });
    }
  }

  provideTokenCount(
    _model: vscode.LanguageModelChatInformation,
    text: string | vscode.LanguageModelChatRequestMessage,
  ): Promise<number> {
    const { length } = typeof text === 'string' ? text : chatText(text).text;
    return Promise.resolve(Math.ceil(length / charactersPerToken));
  }
}

function chatText({ role, content }: vscode.LanguageModelChatRequestMessage): ChatText {
  return {
    by: role === vscode.LanguageModelChatMessageRole.Assistant ? 'assistant' : 'user',
    text: content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join(''),
  };
}

/** Offers the memory as a model of VS Code's chat. */
export function registerChatProvider(sidecar: Sidecar): vscode.Disposable {
  const model = new RepositoryModel(sidecar);
  const registration = vscode.lm.registerLanguageModelChatProvider(vendor, model);
  // VS Code asks for models only when someone selects some: until then its chat believes that there is none.
  const found = vscode.lm.selectChatModels({ vendor });
  // Where there is no chat, nobody needs a model.
  found.then(undefined, () => undefined);
  return vscode.Disposable.from(registration, model);
}
