import { expect, test } from 'vitest';
import type { ChatState, ExtensionMessage, PageMessage } from '../../../../extension/chat/messages.js';
import { RequestFailure } from '../../../../extension/sidecar/sidecar.js';
import { openChat, type ChatUnderTest } from './chat-under-test.js';
import { answerOf, FakeSidecar, readyRoot, root, unreadRoot } from './fake-sidecar.js';

const api = 'file:///code/api';
const twoRoots = [
  { uri: root, name: 'orchard' },
  { uri: api, name: 'api' },
];

async function stateOf(under: ChatUnderTest): Promise<ChatState> {
  await under.chat.handle({ type: 'ready' });
  const message = under.sent.findLast(({ type }) => type === 'state');
  if (message?.type !== 'state') throw new Error('No state was sent.');
  return message.state;
}

function lastOf(under: ChatUnderTest, type: ExtensionMessage['type']): ExtensionMessage | undefined {
  return under.sent.findLast((message) => message.type === type);
}

test('one message tells the page everything', async () => {
  const under = await openChat({ texts: { Deep: 'Tief' } });
  void under.chat.ask('Where?', 'memory');
  (await under.sidecar.question(1)).send({ kind: 'text', text: 'He' });
  const state = await stateOf(under);
  expect(state).toMatchObject({
    language: 'en',
    texts: { Deep: 'Tief' },
    target: root,
    memory: { life: { state: 'running' }, isBundled: true, roots: [{ state: 'ready', memory: { filesRead: 412 } }] },
    conversation: { title: 'Where?', turns: [{ question: 'Where?', answers: [{ text: 'He', state: 'running' }] }] },
  });
});

test('the target that was chosen last is asked, also after a restart', async () => {
  const under = await openChat({ roots: twoRoots });
  await under.chat.handle({ type: 'target', target: 'all' });
  const after = under.restarted();
  expect((await stateOf(after)).target).toBe('all');
  void after.chat.ask('Where?', 'memory');
  (await after.sidecar.question(1)).answer(answerOf('a'));
  expect((await after.sidecar.question(2)).params.root).toBe(api);
});

test('a target whose folder was closed is not asked', async () => {
  const under = await openChat({ roots: twoRoots });
  await under.chat.handle({ type: 'ask', question: 'Where?', mode: 'memory', target: 'file:///elsewhere' });
  expect(under.sidecar.questions).toEqual([]);
  await under.chat.handle({ type: 'target', target: 'file:///elsewhere' });
  expect((await stateOf(under)).target).toBe(root);
});

test('a question that is stopped before it was answered returns to the composer', async () => {
  const under = await openChat();
  void under.chat.ask('Where?', 'deep');
  await under.sidecar.question(1);
  const [turn] = under.chat.conversations.shown.conversation.turns;
  await under.chat.handle({ type: 'stop', turn: turn?.id ?? '' });
  expect(lastOf(under, 'compose')).toEqual({ type: 'compose', text: 'Where?', deep: true });
});

test.each<[PageMessage, string, unknown]>([
  [{ type: 'memory', action: 'read', root }, 'locret/read', { root }],
  [{ type: 'memory', action: 'update', root }, 'locret/update', { root }],
  [{ type: 'memory', action: 'pause', root }, 'locret/stopReading', { root, keep: true }],
  [{ type: 'memory', action: 'cancel', root }, 'locret/stopReading', { root, keep: false }],
])('%j asks the sidecar for %s', async (message, method, params) => {
  const under = await openChat();
  const status = (): ReturnType<typeof readyRoot> => readyRoot();
  Object.assign(under.sidecar.handlers, {
    'locret/read': status,
    'locret/update': status,
    'locret/stopReading': status,
  });
  await under.chat.handle(message);
  expect(under.sidecar.requests).toEqual([{ method, params }]);
  expect(under.log.failures).toEqual([]);
});

test('what fails is shown to the user', async () => {
  const under = await openChat();
  const failure = new RequestFailure('memory-locked', 'Locked.', 'Wait.');
  under.sidecar.handlers['locret/read'] = () => Promise.reject(failure);
  await under.chat.handle({ type: 'memory', action: 'read', root });
  expect(under.log.failures).toEqual([failure]);
});

test('the files of a list come with the request they answer', async () => {
  const under = await openChat();
  under.sidecar.handlers['locret/coverage'] = () => ({
    read: [{ path: 'a.ts', tokens: 3 }],
    skipped: [{ path: 'b.png', reason: 'binary', detail: '' }],
    changed: [{ path: 'c.ts', change: 'added' }],
  });
  await under.chat.handle({ type: 'coverage', request: 'r1', root, part: 'skipped' });
  expect(lastOf(under, 'coverage')).toEqual({
    type: 'coverage',
    request: 'r1',
    files: [{ path: 'b.png', reason: 'binary', detail: '' }],
    more: 0,
  });
});

test('of a very long list the page is sent the beginning and told how much is left', async () => {
  const under = await openChat();
  const read = Array.from({ length: 5003 }, (_, index) => ({ path: `${index}.ts`, tokens: 1 }));
  under.sidecar.handlers['locret/coverage'] = () => ({ read, skipped: [], changed: [] });
  await under.chat.handle({ type: 'coverage', request: 'r1', root, part: 'read' });
  expect(lastOf(under, 'coverage')).toMatchObject({ more: 3, files: { length: 5000 } });
});

test('a list that cannot be told says why', async () => {
  const under = await openChat();
  await under.chat.handle({ type: 'coverage', request: 'r1', root, part: 'read' });
  expect(lastOf(under, 'coverage')).toMatchObject({
    request: 'r1',
    files: [],
    error: 'locret/coverage was not expected.',
  });
});

test('what reading will take is asked for once, where nothing is read or saved', async () => {
  const idle = unreadRoot();
  const sidecar = new FakeSidecar(idle);
  const bytes = { weights: 1, packing: 1, cache: 5, activations: 1, program: 1, peak: 50, free: 100 };
  sidecar.handlers['locret/plan'] = () => ({ model: 'nano', rows: [], bytes, notices: ['Slow.'] });
  const under = await openChat({ sidecar });
  await stateOf(under);
  await expect
    .poll(() => lastOf(under, 'memory'))
    .toMatchObject({
      memory: { roots: [{ plan: { peakBytes: 50, cacheBytes: 5, freeBytes: 100, notices: ['Slow.'] } }] },
    });
  await stateOf(under);
  expect(sidecar.requests.filter(({ method }) => method === 'locret/plan')).toHaveLength(1);
});

test('how long a deep question will read is told from the speed of the last reading', async () => {
  const under = await openChat();
  expect((await stateOf(under)).memory.roots[0]?.deepSeconds).toBeUndefined();
  const progress = {
    filesRead: 1,
    files: 2,
    tokensRead: 3,
    bytesRead: 4,
    bytes: 8,
    tokensPerSecond: 12_040,
    secondsLeft: 1,
  };
  under.sidecar.changeStatus({ roots: [readyRoot({ state: 'reading', progress })] });
  under.sidecar.changeStatus({ roots: [readyRoot()] });
  expect((await stateOf(under)).memory.roots[0]?.deepSeconds).toBe(100);
});

test('a folder of which the sidecar has not told yet is loading', async () => {
  const under = await openChat({ roots: twoRoots });
  expect((await stateOf(under)).memory.roots.map(({ state }) => state)).toEqual(['ready', 'loading']);
});
