import { expect, test } from 'vitest';
import { answerOf } from './fake-sidecar.js';
import { openChat, type ChatUnderTest } from './chat-under-test.js';

async function answered(chat: ChatUnderTest, question: string, text = 'Here.'): Promise<string> {
  const { length } = chat.sidecar.questions;
  const asked = chat.chat.ask(question, 'memory');
  (await chat.sidecar.question(length + 1)).answer(answerOf(text));
  await asked;
  return chat.chat.conversations.shown.conversation.id;
}

function shownQuestions({ chat }: ChatUnderTest): string[] {
  return chat.conversations.shown.conversation.turns.map(({ question }) => question);
}

async function titles({ chat }: ChatUnderTest, search = ''): Promise<string[]> {
  return (await chat.conversations.list(search)).map(({ title }) => title);
}

test('the shown conversation comes back after a restart', async () => {
  const before = await openChat();
  await answered(before, 'Where?');
  await expect.poll(() => titles(before)).toEqual(['Where?']);
  const after = before.restarted();
  await after.chat.restore();
  expect(shownQuestions(after)).toEqual(['Where?']);
});

test('a question that was asked meanwhile is not pushed away by the old conversation', async () => {
  const before = await openChat();
  await answered(before, 'old');
  await expect.poll(() => titles(before)).toEqual(['old']);
  const after = before.restarted();
  const restored = after.chat.restore();
  void after.chat.ask('new', 'memory');
  await restored;
  expect(shownQuestions(after)).toEqual(['new']);
});

test('a new conversation is begun once, however often it is asked for', async () => {
  const under = await openChat();
  await answered(under, 'Where?');
  under.chat.conversations.startNew();
  const { id } = under.chat.conversations.shown.conversation;
  under.chat.conversations.startNew();
  expect(under.chat.conversations.shown.conversation.id).toBe(id);
  expect(await titles(under)).toEqual(['Where?']);
});

test('an answer goes on while another conversation is shown, and is there on the way back', async () => {
  const under = await openChat();
  const asked = under.chat.ask('slow', 'memory');
  const { id } = under.chat.conversations.shown.conversation;
  const question = await under.sidecar.question(1);
  under.chat.conversations.startNew();
  const { length } = under.sent;
  question.send({ kind: 'text', text: 'Half' });
  expect(under.sent).toHaveLength(length);
  await under.chat.conversations.open(id);
  expect(under.chat.conversations.shown.conversation.turns[0]?.answers[0]).toMatchObject({ text: 'Half' });
  under.chat.conversations.startNew();
  question.answer(answerOf('Whole'));
  await asked;
  await under.chat.conversations.open(id);
  await expect
    .poll(async () => (await under.store.load(id))?.turns[0]?.answers[0])
    .toMatchObject({ state: 'answered', text: 'Whole' });
  expect(under.chat.conversations.shown.conversation.turns[0]?.answers[0]).toMatchObject({ text: 'Whole' });
});

test('a name is kept, and an empty one is taken back', async () => {
  const under = await openChat();
  const id = await answered(under, 'Where?');
  await under.chat.conversations.rename(id, '  Ledger ');
  expect(await titles(under)).toEqual(['Ledger']);
  await under.chat.conversations.rename(id, ' ');
  expect(await titles(under)).toEqual(['Where?']);
  under.chat.conversations.startNew();
  await under.chat.conversations.rename(id, 'Not shown');
  expect(await titles(under)).toEqual(['Not shown']);
});

test('a deleted conversation comes back with undo', async () => {
  const under = await openChat();
  const id = await answered(under, 'Where?');
  await under.chat.conversations.remove(id);
  expect(shownQuestions(under)).toEqual([]);
  expect(await titles(under)).toEqual([]);
  expect(under.sent).toContainEqual({ type: 'deleted', what: 'conversation', title: 'Where?' });
  await under.chat.conversations.undo();
  expect(shownQuestions(under)).toEqual(['Where?']);
  expect(await titles(under)).toEqual(['Where?']);
});

test('a conversation that is deleted while it answers stays deleted', async () => {
  const under = await openChat();
  const asked = under.chat.ask('slow', 'memory');
  (await under.sidecar.question(1)).send({ kind: 'text', text: 'Half' });
  await under.chat.conversations.remove(under.chat.conversations.shown.conversation.id);
  await asked;
  expect(await titles(under)).toEqual([]);
});

test('a deleted question comes back with undo, where it stood', async () => {
  const under = await openChat();
  await answered(under, 'first');
  await answered(under, 'second');
  const [turn] = under.chat.conversations.shown.conversation.turns;
  under.chat.conversations.removeTurn(turn?.id ?? '');
  expect(shownQuestions(under)).toEqual(['second']);
  await under.chat.conversations.undo();
  expect(shownQuestions(under)).toEqual(['first', 'second']);
});

test('a conversation without questions leaves no file', async () => {
  const under = await openChat();
  await answered(under, 'first');
  const [turn] = under.chat.conversations.shown.conversation.turns;
  under.chat.conversations.removeTurn(turn?.id ?? '');
  await expect.poll(() => titles(under)).toEqual([]);
});

test('what was answered elsewhere goes on in a new conversation', async () => {
  const under = await openChat();
  await answered(under, 'Where?');
  const root = { uri: 'file:///code/orchard', name: 'orchard' };
  under.chat.conversations.startWith([
    { id: '1', question: 'inline', mode: 'memory', asked: 0, answers: [{ root, text: 'yes', state: 'answered' }] },
  ]);
  void under.chat.ask('and?', 'memory');
  const question = await under.sidecar.question(2);
  expect(question.params.history).toEqual([{ question: 'inline', answer: 'yes' }]);
});
