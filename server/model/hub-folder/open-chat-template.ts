import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../../contract/json.js';
import { createChatTemplate, type ChatTemplate } from '../chat-template.js';
import { damagedModel, readTextFile, type JsonFields } from '../json-fields.js';
import type { ModelTokenizer } from '../tokenizer.js';
import { namedSpecialTokens, readTokenizerConfig } from './tokenizer-config.js';

const largestTemplate = 1024 * 1024;

/**
 * Opens the chat template of a model folder: `chat_template.jinja`, or what `tokenizer_config.json` holds.
 * @throws LocretError template-failed when the template cannot be parsed, model-corrupt or tokenizer-unsupported when
 *   its file is damaged
 */
export function openChatTemplate(folder: string, tokenizer: ModelTokenizer): ChatTemplate {
  const config = readTokenizerConfig(folder);
  return createChatTemplate(
    { ...templateSource(folder, config), specialTokens: namedSpecialTokens(config) },
    tokenizer,
  );
}

function templateSource(
  folder: string,
  config: JsonFields | undefined,
): { readonly origin: string; readonly source: string | undefined } {
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) return { origin: file, source: readTextFile(file, largestTemplate, damagedModel) };
  const template = config?.value('chat_template');
  if (config === undefined || template === undefined) return { origin: folder, source: undefined };
  const named: unknown[] = Array.isArray(template) ? template : [{ name: 'default', template }];
  for (const item of named) {
    if (!isJsonObject(item) || item['name'] !== 'default') continue;
    if (typeof item['template'] === 'string') return { origin: config.file, source: item['template'] };
  }
  throw config.wrong('chat_template', 'a string, or a list of named templates with one named "default"');
}
