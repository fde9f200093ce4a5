import type { ExtensionMessage, PageMessage } from '../messages.js';

interface EditorApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): EditorApi;

const api = acquireVsCodeApi();

export function send(message: PageMessage): void {
  api.postMessage(message);
}

/** What was last remembered, over hiding and showing the page; whatever it is. */
export function remembered(): unknown {
  return api.getState();
}

export function remember(state: unknown): void {
  api.setState(state);
}

const messageTypes: readonly ExtensionMessage['type'][] = [
  'state',
  'turn',
  'text',
  'turnRemoved',
  'memory',
  'compose',
  'coverage',
  'showConversations',
  'conversations',
  'deleted',
];

/** Only the extension can send messages of these types: the policy of the page lets no other script in. */
function isExtensionMessage(value: unknown): value is ExtensionMessage {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  return messageTypes.some((type) => type === value.type);
}

export function receive(listener: (message: ExtensionMessage) => void): void {
  window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isExtensionMessage(data)) listener(data);
  });
}
