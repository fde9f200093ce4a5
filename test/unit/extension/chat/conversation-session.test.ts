import { beforeEach, expect, test } from 'vitest';
import { ConversationSession } from '../../../../extension/chat/conversation-session.js';
import type { Conversation, RootAnswer, Turn } from '../../../../extension/conversation/conversation.js';
import { RequestFailure } from '../../../../extension/sidecar/sidecar.js';
import { answerOf, createCancellation, FakeSidecar, root, sidecarStopped } from './fake-sidecar.js';

const orchard = { uri: root, name: 'orchard' };
const api = { uri: 'file:///code/api', name: 'api' };

let sidecar: FakeSidecar;
let session: ConversationSession;
let kept: Conversation[];
let removed: string[];
let appended: { readonly at: number; readonly text: string }[];
let changes: Turn[];

beforeEach(() => {
  sidecar = new FakeSidecar();
  kept = [];
  removed = [];
  appended = [];
  changes = [];
  session = new ConversationSession(
    { id: 'c', created: 0, changed: 0, turns: [] },
    { sidecar, createCancellation, now: () => 7 },
    {
      turnChanged: (turn) => changes.push(turn),
      textAppended: (_, __, at, text) => appended.push({ at, text }),
      turnRemoved: (turn) => removed.push(turn),
      kept: (conversation) => kept.push(conversation),
    },
  );
});

function turn(index: number): Turn {
  const found = session.conversation.turns[index];
  if (found === undefined) throw new Error(`There is no turn ${index}.`);
  return found;
}

function answer(index = 0, of = 0): RootAnswer | undefined {
  return turn(index).answers[of];
}

test('a question is answered, piece by piece', async () => {
  const asked = session.ask('Where?', 'memory', [orchard]);
  const question = await sidecar.question(1);
  expect(question.params).toEqual({ root, question: 'Where?', mode: 'memory', history: [] });
  expect(answer()).toEqual({ root: orchard, text: '', state: 'running', phase: 'queued' });
  question.send({ kind: 'phase', phase: 'answering' });
  question.send({ kind: 'text', text: 'He' });
  question.send({ kind: 'text', text: 're' });
  expect(answer()).toEqual({ root: orchard, text: 'Here', state: 'running', phase: 'answering' });
  expect(appended).toEqual([
    { at: 0, text: 'He' },
    { at: 2, text: 're' },
  ]);
  question.answer(answerOf('Here.'));
  await asked;
  expect(answer()).toMatchObject({ text: 'Here.', state: 'answered', facts: { coverage: { filesRead: 412 } } });
  expect(kept.at(-1)?.turns[0]?.answers[0]?.state).toBe('answered');
});

test('the progress of a deep question is held', async () => {
  void session.ask('Where?', 'deep', [orchard]);
  const question = await sidecar.question(1);
  const progress = {
    filesRead: 1,
    files: 2,
    tokensRead: 3,
    bytesRead: 4,
    bytes: 8,
    tokensPerSecond: 5,
    secondsLeft: 6,
  };
  question.send({ kind: 'phase', phase: 'reading' });
  question.send({ kind: 'progress', progress });
  expect(answer()).toMatchObject({ phase: 'reading', progress: { bytesRead: 4, bytes: 8 } });
});

test('questions are asked one after the other, each with the answers before it', async () => {
  void session.ask('first', 'memory', [orchard]);
  void session.ask('second', 'memory', [orchard]);
  const first = await sidecar.question(1);
  expect(sidecar.questions).toHaveLength(1);
  first.answer(answerOf('one'));
  const second = await sidecar.question(2);
  expect(second.params).toMatchObject({ question: 'second', history: [{ question: 'first', answer: 'one' }] });
});

test('several roots answer in turn, each with its own history', async () => {
  const asked = session.ask('Where?', 'memory', [orchard, api]);
  (await sidecar.question(1)).answer(answerOf('in orchard'));
  const second = await sidecar.question(2);
  expect(second.params.root).toBe(api.uri);
  second.fail(new RequestFailure('repository-empty', 'api is empty.', 'Add files.'));
  await asked;
  expect(answer(0, 0)).toMatchObject({ state: 'answered', text: 'in orchard' });
  expect(answer(0, 1)).toMatchObject({ state: 'failed', message: 'api is empty.', remedy: 'Add files.' });
  void session.ask('And?', 'memory', [api]);
  expect((await sidecar.question(3)).params.history).toEqual([]);
});

test('an answer that is stopped keeps its text, and the next question is asked', async () => {
  const asked = session.ask('Where?', 'memory', [orchard]);
  const question = await sidecar.question(1);
  question.send({ kind: 'text', text: 'He' });
  expect(session.stop(turn(0).id)).toBeUndefined();
  expect(question.token?.isCancellationRequested).toBe(true);
  await asked;
  expect(answer()).toEqual({ root: orchard, text: 'He', state: 'stopped', by: 'user' });
  expect(kept.at(-1)?.turns[0]?.answers[0]).toMatchObject({ state: 'stopped', text: 'He' });
  void session.ask('And now?', 'memory', [orchard]);
  expect((await sidecar.question(2)).params.question).toBe('And now?');
});

test('a question of which nothing was answered yet is taken back', async () => {
  void session.ask('Where?', 'deep', [orchard]);
  (await sidecar.question(1)).send({ kind: 'phase', phase: 'opening' });
  const { id } = turn(0);
  expect(session.stop(id)?.question).toBe('Where?');
  expect(session.conversation.turns).toEqual([]);
  expect(removed).toEqual([id]);
});

test('a question that waits for another is taken back without being asked', async () => {
  void session.ask('first', 'memory', [orchard]);
  const second = session.ask('second', 'memory', [orchard]);
  expect(session.stop(turn(1).id)?.question).toBe('second');
  (await sidecar.question(1)).answer(answerOf('one'));
  await second;
  expect(sidecar.questions).toHaveLength(1);
});

test('a failure keeps the text that had come', async () => {
  const asked = session.ask('Where?', 'memory', [orchard]);
  const question = await sidecar.question(1);
  question.send({ kind: 'text', text: 'He' });
  question.fail(sidecarStopped);
  await asked;
  expect(answer()).toMatchObject({ state: 'failed', text: 'He', code: 'sidecar-stopped', remedy: 'Try again.' });
});

test('a question that is asked again stays in its place, with the history before it', async () => {
  const both = [session.ask('first', 'memory', [orchard]), session.ask('second', 'memory', [orchard])];
  (await sidecar.question(1)).answer(answerOf('one'));
  (await sidecar.question(2)).answer(answerOf('two'));
  await Promise.all(both);
  const again = session.retry(turn(0).id);
  const question = await sidecar.question(3);
  expect(question.params).toMatchObject({ question: 'first', history: [] });
  question.answer(answerOf('one, better'));
  await again;
  expect(session.conversation.turns.map(({ answers }) => answers[0]?.text)).toEqual(['one, better', 'two']);
});

test('what a stopped request still sends is not taken for the answer of the next', async () => {
  void session.ask('Where?', 'memory', [orchard]);
  const first = await sidecar.question(1);
  first.send({ kind: 'text', text: 'old' });
  session.stop(turn(0).id);
  const again = session.retry(turn(0).id);
  first.send({ kind: 'text', text: ' text' });
  first.answer(answerOf('old text'));
  const second = await sidecar.question(2);
  expect(answer()).toMatchObject({ state: 'running', text: '' });
  second.answer(answerOf('new'));
  await again;
  expect(answer()).toMatchObject({ state: 'answered', text: 'new' });
});

test('a removed question ends, and can be put back where it stood', async () => {
  void session.ask('first', 'memory', [orchard]);
  void session.ask('second', 'memory', [orchard]);
  const question = await sidecar.question(1);
  question.send({ kind: 'text', text: 'He' });
  const result = session.remove(turn(0).id);
  expect(question.token?.isCancellationRequested).toBe(true);
  expect(session.conversation.turns.map((left) => left.question)).toEqual(['second']);
  if (result === undefined) throw new Error('Nothing was removed.');
  session.restore(result.turn, result.index);
  expect(session.conversation.turns.map((left) => left.question)).toEqual(['first', 'second']);
  expect(answer()).toMatchObject({ state: 'stopped', text: 'He' });
});
