import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../../server/model/chat-template.js';
import { openChatTemplate } from '../../server/model/hub-folder/open-chat-template.js';
import { openTokenizer } from '../../server/model/hub-folder/open-tokenizer.js';

interface Reference {
  readonly encode: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly ids_with_special: readonly number[];
    readonly decoded: string;
    readonly decoded_skip_special: string;
  }[];
  readonly chat?: readonly {
    readonly messages: readonly ChatMessage[];
    readonly add_generation_prompt: boolean;
    readonly text: string;
    readonly ids: readonly number[];
  }[];
}

const fixtures = fileURLToPath(new URL('../fixtures/hf', import.meta.url));
const referenceFile = 'tokenizer_reference.json';
const folders = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
  .filter((file) => path.basename(file) === referenceFile)
  .map((file) => path.dirname(file));

function readReference(folder: string): Reference {
  const parse: (text: string) => Reference = JSON.parse;
  return parse(readFileSync(path.join(fixtures, folder, referenceFile), 'utf8'));
}

describe.each(folders)('the tokenizer of %s', (folder) => {
  const tokenizer = openTokenizer(path.join(fixtures, folder));
  const reference = readReference(folder);

  it.each(reference.encode)('encodes $text as transformers does', ({ text, ids, ids_with_special }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.encode(text, { addSpecialTokens: true })).toEqual(ids_with_special);
    expect(Array.from(tokenizer.encodeWithStarts(text).ids)).toEqual(ids);
  });

  it.each(reference.encode)('decodes $ids as transformers does', ({ ids, decoded, decoded_skip_special }) => {
    expect(tokenizer.decode(ids)).toBe(decoded);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(decoded_skip_special);
  });

  it.each(reference.encode)('streams $ids as what they decode to', ({ ids, decoded_skip_special }) => {
    const decoder = tokenizer.streamDecoder();
    expect(ids.map((id) => decoder.push(id)).join('') + decoder.end()).toBe(decoded_skip_special);
  });
});

const withChat = folders.filter((folder) => readReference(folder).chat !== undefined);

describe.each(withChat)('the chat template of %s', (folder) => {
  const tokenizer = openTokenizer(path.join(fixtures, folder));
  const template = openChatTemplate(path.join(fixtures, folder), tokenizer);
  const cases = readReference(folder).chat ?? [];

  it.each(cases)('renders $messages as transformers does', ({ messages, add_generation_prompt, text, ids }) => {
    const rendered = template.render(messages, { addGenerationPrompt: add_generation_prompt });
    expect(rendered).toBe(text);
    expect(tokenizer.encode(rendered)).toEqual(ids);
  });
});
