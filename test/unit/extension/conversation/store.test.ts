import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { conversationToJson } from '../../../../extension/conversation/conversation-file.js';
import type { Conversation } from '../../../../extension/conversation/conversation.js';
import { ConversationStore, StoreError, type UnreadableFile } from '../../../../extension/conversation/store.js';
import { answered, conversationOf, turnOf } from './example-conversations.js';

let folder: string;
let unreadable: UnreadableFile[];
let store: ConversationStore;

beforeEach(async () => {
  const parent = await mkdtemp(path.join(tmpdir(), 'locret-store-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  folder = path.join(parent, 'conversations');
  unreadable = [];
  store = new ConversationStore(folder, (file) => unreadable.push(file));
});

function conversation(id: string, question: string, changed = 0): Conversation {
  return { ...conversationOf(turnOf(question, answered(`answer to ${question}`))), id, changed };
}

test('what was saved is loaded, also by the next session', async () => {
  const saved = conversation('a', 'Where is it?');
  await store.save(saved);
  expect(await store.load('a')).toEqual(saved);
  expect(await new ConversationStore(folder, () => undefined).load('a')).toEqual(saved);
});

test('a list shows the conversation that changed last first', async () => {
  await store.save(conversation('a', 'old', 1));
  await store.save(conversation('b', 'new', 3));
  await store.save(conversation('c', 'middle', 2));
  expect(await store.list()).toEqual([
    { id: 'b', title: 'new', changed: 3, turns: 1, roots: ['orchard'] },
    { id: 'c', title: 'middle', changed: 2, turns: 1, roots: ['orchard'] },
    { id: 'a', title: 'old', changed: 1, turns: 1, roots: ['orchard'] },
  ]);
});

test('a folder that is not there is an empty list', async () => {
  expect(await store.list()).toEqual([]);
  expect(await store.load('a')).toBeUndefined();
});

test('a search finds every word in questions and answers, in any case', async () => {
  await store.save(conversation('a', 'Where is openLedger?'));
  await store.save(conversation('b', 'Where is AppleStore?'));
  expect((await store.search('OPENLEDGER answer')).map(({ id }) => id)).toEqual(['a']);
  expect(await store.search('openLedger AppleStore')).toEqual([]);
});

test('the list follows what another window changes', async () => {
  await store.save(conversation('a', 'first'));
  await store.list();
  const other = new ConversationStore(folder, () => undefined);
  await other.save({ ...conversation('a', 'first'), name: 'renamed elsewhere' });
  await other.save(conversation('b', 'second'));
  const later = new Date(Date.now() + 5000);
  await utimes(path.join(folder, 'a.json'), later, later);
  expect((await store.list()).map(({ title }) => title).sort()).toEqual(['renamed elsewhere', 'second']);
  await other.remove('a');
  expect((await store.list()).map(({ id }) => id)).toEqual(['b']);
});

test('a file that cannot be read is set aside with all that is in it, and named', async () => {
  await store.save(conversation('a', 'good'));
  await writeFile(path.join(folder, 'bad.json'), '{ "version": 1, "id": "bad"');
  expect((await store.list()).map(({ id }) => id)).toEqual(['a']);
  expect(unreadable).toHaveLength(1);
  const file = unreadable[0]?.file ?? '';
  expect(path.basename(file)).toMatch(/^bad\.json\.unreadable-\d+$/);
  expect(await readFile(file, 'utf8')).toBe('{ "version": 1, "id": "bad"');
  await store.list();
  expect(unreadable).toHaveLength(1);
});

test('a file under the name of another conversation is set aside', async () => {
  await store.save(conversation('a', 'good'));
  await writeFile(path.join(folder, 'b.json'), conversationToJson(conversation('a', 'good')));
  expect((await store.list()).map(({ id }) => id)).toEqual(['a']);
  expect(unreadable[0]?.reason).toContain('calls itself');
});

test('a file of a newer version stays where it is, and is told once', async () => {
  await store.save(conversation('a', 'good'));
  const newer = conversationToJson(conversation('n', 'newer')).replace('"version":1', '"version":9');
  await writeFile(path.join(folder, 'n.json'), newer);
  await store.list();
  await store.list();
  expect(unreadable.map(({ file }) => path.basename(file))).toEqual(['n.json']);
  expect(await readFile(path.join(folder, 'n.json'), 'utf8')).toBe(newer);
});

test('saving at once, again and again, leaves the last state and nothing half written', async () => {
  const states = Array.from({ length: 20 }, (_, index) => conversation('a', `question ${index}`, index));
  await Promise.all(states.map((state) => store.save(state)));
  expect(await store.load('a')).toEqual(states.at(-1));
  expect(await readdir(folder)).toEqual(['a.json']);
});

test('a conversation that is too large is refused, and the one before it stays', async () => {
  const small = new ConversationStore(folder, () => undefined, 3000);
  await small.save(conversation('a', 'short'));
  await expect(small.save(conversation('a', 'long '.repeat(2000)))).rejects.toThrow(StoreError);
  expect((await small.load('a'))?.turns[0]?.question).toBe('short');
});

test('an id that is no name of a file is never used as one', async () => {
  expect(await store.load('../a')).toBeUndefined();
  await store.remove('../../etc/passwd');
  await expect(store.save(conversation('../escaped', 'x'))).rejects.toThrow(StoreError);
});

test('what was deleted is gone until it is saved again', async () => {
  const saved = conversation('a', 'Where?');
  await store.save(saved);
  await store.remove('a');
  expect(await store.list()).toEqual([]);
  await store.save(saved);
  expect(await store.load('a')).toEqual(saved);
});
