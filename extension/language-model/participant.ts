import * as vscode from 'vscode';
import { ask, type AnswerPartial } from '../ask/ask.js';
import type { Citation, RecalledBlock, RootUri } from '../../server/contract/protocol.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';
import { coverageTexts, phaseText, placeText } from '../ask/answer-text.js';
import { displayLanguage } from '../text/display-language.js';
import { defaultRoot } from './default-root.js';
import { escapeMarkdown, linklessMarkdown, LinklessStream } from '../text/linkless-markdown.js';
import { nextQuestions, readAnswerRecord, turnsOf, type AnswerRecord } from './turns.js';

const participantId = 'locret.repository';

/** `@locret` in VS Code's chat: the question goes to the memory of a root, the answer comes with anchors. */
export function createParticipant(context: vscode.ExtensionContext, sidecar: Sidecar): vscode.ChatParticipant {
  const participant = vscode.chat.createChatParticipant(participantId, (request, chat, stream, token) =>
    answer(sidecar, request, chat, stream, token),
  );
  participant.iconPath = vscode.Uri.joinPath(context.extensionUri, 'extension/media/icon.png');
  participant.followupProvider = {
    provideFollowups(result) {
      const record = readAnswerRecord(result.metadata);
      if (record === undefined) return [];
      return nextQuestions(record).map(({ question, deep }) =>
        deep
          ? {
              prompt: question,
              command: 'deep',
              label: vscode.l10n.t('Read the repository again with this question first'),
            }
          : { prompt: question },
      );
    },
  };
  return participant;
}

async function answer(
  sidecar: Sidecar,
  request: vscode.ChatRequest,
  chat: vscode.ChatContext,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
): Promise<vscode.ChatResult> {
  const question = request.prompt.trim();
  const root = defaultRoot();
  if (root === undefined) return failed(vscode.l10n.t('No folder is open. Open the repository you want to ask about.'));
  if (question === '') return failed(vscode.l10n.t('Ask something: for example, where a function is defined.'));
  const mode = request.command === 'deep' ? 'deep' : 'memory';
  const history = turnsOf(
    chat.history.map((turn) =>
      turn instanceof vscode.ChatResponseTurn ? readAnswerRecord(turn.result.metadata) : undefined,
    ),
    root,
  );
  const shown = new LinklessStream();
  try {
    const result = await ask(sidecar, { root, question, history, mode }, { token, onPartial: showing(stream, shown) });
    stream.markdown(`${shown.end()}\n\n`);
    showPlaces(stream, root, result.citations, result.recalled);
    for (const notice of result.notices) stream.markdown(`⚠ ${linklessMarkdown(notice)}\n\n`);
    stream.markdown(`*${escapeMarkdown(coverageTexts(result, displayLanguage).join(' · '))}*`);
    const names = result.citations.flatMap(({ name }) => (name === undefined ? [] : [name]));
    const record: AnswerRecord = { root, question, answer: result.text, deep: mode === 'deep', names };
    return { metadata: { ...record } };
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    if (error.code === 'cancelled') return {};
    return failed(`${error.message} ${error.remedy}`);
  }
}

function failed(message: string): vscode.ChatResult {
  return { errorDetails: { message } };
}

/** Shows an answer's pieces as they come, and each phase before them once. */
function showing(stream: vscode.ChatResponseStream, shown: LinklessStream): (partial: AnswerPartial) => void {
  let phase = '';
  return (partial) => {
    if (partial.kind === 'text') {
      const added = shown.push(partial.text);
      if (added !== '') stream.markdown(added);
      return;
    }
    const text = partial.kind === 'phase' ? phaseText(partial, displayLanguage) : undefined;
    if (text === undefined || text === phase) return;
    phase = text;
    stream.progress(text);
  };
}

/** The links below the answer, and the definitions that were read again as its references. */
function showPlaces(
  stream: vscode.ChatResponseStream,
  root: RootUri,
  citations: readonly Citation[],
  recalled: readonly RecalledBlock[],
): void {
  for (const block of recalled) stream.reference(locationOf(root, block));
  for (const citation of citations) {
    stream.markdown('- ');
    stream.anchor(locationOf(root, citation), placeText(citation));
    stream.markdown(citation.name === undefined ? '\n' : ` ${escapeMarkdown(citation.name)}\n`);
  }
  if (citations.length > 0) stream.markdown('\n');
}

function locationOf(root: RootUri, place: Pick<Citation, 'path' | 'line' | 'endLine'>): vscode.Location {
  const uri = vscode.Uri.joinPath(vscode.Uri.parse(root), place.path);
  return new vscode.Location(uri, new vscode.Range(place.line - 1, 0, place.endLine - 1, 0));
}
