import { Template } from '@huggingface/jinja';
import { LocretError, messageOf } from '../errors.js';
import type { ModelTokenizer } from './tokenizer.js';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** The model's own jinja template. */
export interface ChatTemplate {
  /** @throws LocretError template-failed with the template's own message */
  render(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string;
  /** False when the template refuses a system message, leaves it out, or does not put it in front of all others. */
  readonly supportsSystem: boolean;
}

/** What a base model without a template is asked with: a form that occurs in plain text. */
const plainTemplate = [
  '{{- text_begin -}}',
  '{%- for message in messages -%}',
  "{%- if message.role == 'system' -%}{{- message.content + '\\n\\n' -}}",
  "{%- elif message.role == 'user' -%}{{- 'Question: ' + message.content + '\\n' -}}",
  "{%- else -%}{{- 'Answer: ' + message.content + '\\n\\n' -}}",
  '{%- endif -%}',
  '{%- endfor -%}',
  "{%- if add_generation_prompt -%}{{- 'Answer:' -}}{%- endif -%}",
].join('');

/** A chat template as a model brings it. */
export interface WrittenTemplate {
  /** Where it is written, for error messages. */
  readonly origin: string;
  /** Jinja; undefined where the model has none. */
  readonly source: string | undefined;
  /** Special tokens by the names that templates use: `bos_token`, `eos_token`. */
  readonly specialTokens: ReadonlyMap<string, string>;
}

/**
 * Makes a model's chat template. A model without one gets a plain form: the system message, then `Question: …` and
 * `Answer: …` by turns, behind whatever the tokenizer puts in front of a text.
 * @throws LocretError template-failed when the template cannot be parsed
 */
export function createChatTemplate(written: WrittenTemplate, tokenizer: ModelTokenizer): ChatTemplate {
  const { origin, source = plainTemplate, specialTokens } = written;
  try {
    const variables = {
      ...Object.fromEntries(specialTokens),
      text_begin: tokenizer.decode(tokenizer.encode('', { addSpecialTokens: true })),
    };
    return new JinjaChatTemplate(origin, new Template(source), variables);
  } catch (error) {
    throw templateFailed(origin, error);
  }
}

function templateFailed(origin: string, error: unknown): LocretError {
  return new LocretError(
    'template-failed',
    `The chat template in ${origin} fails: ${messageOf(error)}.`,
    'Choose a model whose template takes user and assistant messages by turns, or correct the template.',
    { cause: error },
  );
}

class JinjaChatTemplate implements ChatTemplate {
  readonly supportsSystem: boolean;

  constructor(
    private readonly origin: string,
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
      throw templateFailed(this.origin, error);
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
