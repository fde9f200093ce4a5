import type { JsonReader } from '../../server/contract/json.js';
import { answerModes } from '../../server/contract/words.js';
import { ObjectReader, UnexpectedShape } from '../conversation/object-reader.js';
import { pageCommands, type PageMessage } from './messages.js';

/** Limits in UTF-16 units: what is longer did not come from the page as it is built. */
const longest = {
  id: 64,
  uri: 8192,
  path: 8192,
  name: 1000,
  language: 64,
  search: 1000,
  question: 200_000,
  text: 4_000_000,
} as const;

type MessageType = PageMessage['type'];

const readers: { readonly [Type in MessageType]: (reader: JsonReader) => PageMessage } = {
  ready: () => ({ type: 'ready' }),
  ask: (reader) => ({
    type: 'ask',
    question: reader.text('question', longest.question),
    mode: reader.word('mode', answerModes),
    target: reader.text('target', longest.uri),
  }),
  stop: (reader) => ({ type: 'stop', turn: reader.text('turn', longest.id) }),
  retry: (reader) => ({ type: 'retry', turn: reader.text('turn', longest.id) }),
  removeTurn: (reader) => ({ type: 'removeTurn', turn: reader.text('turn', longest.id) }),
  undo: () => ({ type: 'undo' }),
  openPlace: (reader) => ({
    type: 'openPlace',
    root: reader.text('root', longest.uri),
    path: reader.text('path', longest.path),
    line: reader.line('line'),
    endLine: reader.line('endLine'),
  }),
  copy: (reader) => ({ type: 'copy', text: reader.text('text', longest.text) }),
  insert: (reader) => ({ type: 'insert', text: reader.text('text', longest.text) }),
  newFile: (reader) => ({
    type: 'newFile',
    text: reader.text('text', longest.text),
    language: reader.text('language', longest.language),
  }),
  coverage: (reader) => ({
    type: 'coverage',
    request: reader.text('request', longest.id),
    root: reader.text('root', longest.uri),
    part: reader.word('part', ['read', 'skipped', 'changed']),
  }),
  memory: (reader) => ({
    type: 'memory',
    action: reader.word('action', ['read', 'update', 'pause', 'cancel']),
    root: reader.text('root', longest.uri),
  }),
  command: (reader) => ({ type: 'command', command: reader.word('command', pageCommands) }),
  target: (reader) => ({ type: 'target', target: reader.text('target', longest.uri) }),
  newConversation: () => ({ type: 'newConversation' }),
  listConversations: (reader) => ({ type: 'listConversations', search: reader.text('search', longest.search) }),
  openConversation: (reader) => ({ type: 'openConversation', id: reader.text('id', longest.id) }),
  renameConversation: (reader) => ({
    type: 'renameConversation',
    id: reader.text('id', longest.id),
    name: reader.text('name', longest.name),
  }),
  removeConversation: (reader) => ({ type: 'removeConversation', id: reader.text('id', longest.id) }),
};

function isMessageType(type: string): type is MessageType {
  return Object.hasOwn(readers, type);
}

/** What a page sent, when it is a message of the contract; undefined for everything else. */
export function pageMessageOf(value: unknown): PageMessage | undefined {
  try {
    const reader = new ObjectReader(value, 'message');
    const type = reader.text('type', longest.id);
    return isMessageType(type) ? readers[type](reader) : undefined;
  } catch (error) {
    if (error instanceof UnexpectedShape) return undefined;
    throw error;
  }
}
