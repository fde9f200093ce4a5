import { Template } from '@huggingface/jinja';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../contract/json.js';
import { LocretError, messageOf } from '../errors.js';
import { DAMAGED_MODEL, readTextFile, type JsonFields } from './json-fields.js';
import { namedSpecialTokens, readTokenizerConfig } from './tokenizer-config.js';
import type { ModelTokenizer } from './tokenizer.js';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** The model's own jinja template (`chat_template.jinja`, or in `tokenizer_config.json`). */
export interface ChatTemplate {
  /** @throws LocretError template-failed with the template's own message */
  render(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string;
  /** False when the template refuses a system message, leaves it out, or does not put it in front of all others. */
  readonly supportsSystem: boolean;
}

const TEMPLATE_LIMIT = 1024 * 1024;

/** What a base model without a template is asked with: a form that occurs in plain text. */
const PLAIN_TEMPLATE = [
  '{{- text_begin -}}',
  '{%- for message in messages -%}',
  "{%- if message.role == 'system' -%}{{- message.content + '\\n\\n' -}}",
  "{%- elif message.role == 'user' -%}{{- 'Question: ' + message.content + '\\n' -}}",
  "{%- else -%}{{- 'Answer: ' + message.content + '\\n\\n' -}}",
  '{%- endif -%}',
  '{%- endfor -%}',
  "{%- if add_generation_prompt -%}{{- 'Answer:' -}}{%- endif -%}",
].join('');

/**
 * Opens the chat template of a model folder. A model without one gets a plain form: the system message, then
 * `Question: …` and `Answer: …` by turns, behind whatever the tokenizer puts in front of a text.
 * @throws LocretError template-failed when the template cannot be parsed, model-corrupt or tokenizer-unsupported when
 *   its file is damaged
 */
export function openChatTemplate(folder: string, tokenizer: ModelTokenizer): ChatTemplate {
  const config = readTokenizerConfig(folder);
  const { file, source } = templateSource(folder, config);
  try {
    const variables = {
      ...Object.fromEntries(namedSpecialTokens(config)),
      text_begin: tokenizer.decode(tokenizer.encode('', { addSpecialTokens: true })),
    };
    return new JinjaChatTemplate(file, new Template(source), variables);
  } catch (error) {
    throw templateFailed(file, error);
  }
}

function templateSource(folder: string, config: JsonFields | undefined): { file: string; source: string } {
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) return { file, source: readTextFile(file, TEMPLATE_LIMIT, DAMAGED_MODEL) };
  const template = config?.value('chat_template');
  if (config === undefined || template === undefined) return { file: folder, source: PLAIN_TEMPLATE };
  const named: unknown[] = Array.isArray(template) ? template : [{ name: 'default', template }];
  for (const item of named) {
    if (!isJsonObject(item) || item['name'] !== 'default') continue;
    if (typeof item['template'] === 'string') return { file: config.file, source: item['template'] };
  }
  throw config.wrong('chat_template', 'a string, or a list of named templates with one named "default"');
}

function templateFailed(file: string, error: unknown): LocretError {
  return new LocretError(
    'template-failed',
    `The chat template in ${file} fails: ${messageOf(error)}.`,
    'Choose a model whose template takes user and assistant messages by turns, or correct the template.',
    { cause: error },
  );
}

class JinjaChatTemplate implements ChatTemplate {
  readonly supportsSystem: boolean;

  constructor(
    private readonly file: string,
    private readonly template: Template,
    /** Special tokens by the names that templates use. */
    private readonly variables: Readonly<Record<string, string>>,
  ) {
    this.supportsSystem = this.putsSystemFirst();
  }

  render(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string {
    try {
      return this.template.render({
        ...this.variables,
        tools: null,
        documents: null,
        messages,
        add_generation_prompt: options.addGenerationPrompt,
      });
    } catch (error) {
      throw templateFailed(this.file, error);
    }
  }

  private putsSystemFirst(): boolean {
    const messages: readonly ChatMessage[] = [
      { role: 'system', content: 'first' },
      { role: 'user', content: 'second' },
      { role: 'assistant', content: 'third' },
      { role: 'user', content: 'fourth' },
    ];
    try {
      const text = this.render(messages, { addGenerationPrompt: true });
      const system = text.indexOf('first');
      return system >= 0 && system < text.indexOf('second');
    } catch {
      return false;
    }
  }
}
