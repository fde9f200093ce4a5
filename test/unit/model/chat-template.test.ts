import { describe, expect, it } from 'vitest';
import type { ChatMessage, ChatTemplate } from '../../../server/model/chat-template.js';
import { openChatTemplate } from '../../../server/model/hub-folder/open-chat-template.js';
import { openTokenizer } from '../../../server/model/hub-folder/open-tokenizer.js';
import { expectRefusal, fixture, modelFolder } from './model-folder.js';

const llama2 = fixture('sentencepiece-tokenizers/llama2');

function templateOf(files: Readonly<Record<string, string | object>>, from = llama2): ChatTemplate {
  const folder = modelFolder(files, { from, names: ['tokenizer.json'] });
  return openChatTemplate(folder, openTokenizer(folder));
}

function withTemplate(template: unknown, others: object = {}): ChatTemplate {
  return templateOf({ 'tokenizer_config.json': { chat_template: template, ...others } });
}

const question: readonly ChatMessage[] = [{ role: 'user', content: 'Why?' }];
const prompt = { addGenerationPrompt: true };

describe('openChatTemplate', () => {
  it('gives templates the special tokens, written as strings or as objects', () => {
    const template = withTemplate('{{ bos_token }}|{{ eos_token }}|{{ unk_token is defined }}', {
      bos_token: '<s>',
      eos_token: { __type: 'AddedToken', content: '</s>', lstrip: false },
      unk_token: null,
    });
    expect(template.render(question, prompt)).toBe('<s>|</s>|false');
  });

  it('takes the default of several named templates', () => {
    const named = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'asks {{ messages[0].content }}' },
    ];
    expect(withTemplate(named).render(question, prompt)).toBe('asks Why?');
  });

  it('prefers chat_template.jinja', () => {
    const template = templateOf({
      'chat_template.jinja': 'file{% if add_generation_prompt %}>{% endif %}',
      'tokenizer_config.json': { chat_template: 'config' },
    });
    expect(template.render(question, prompt)).toBe('file>');
    expect(template.render(question, { addGenerationPrompt: false })).toBe('file');
  });

  it('gives templates the date', () => {
    const year = new Date().getFullYear();
    expect(withTemplate("{{ strftime_now('%Y') }}").render(question, prompt)).toBe(String(year));
  });

  it('renders what tools-aware templates ask for', () => {
    const source =
      '{%- if not tools is defined %}{%- set tools = none %}{%- endif %}' +
      '{%- if tools is not none %}tools{%- else %}none{%- endif %}';
    expect(withTemplate(source).render(question, prompt)).toBe('none');
  });

  it("fails with the template's own message", () => {
    const template = withTemplate("{{ raise_exception('Roles must alternate!') }}");
    expectRefusal(
      () => template.render(question, prompt),
      'template-failed',
      'tokenizer_config.json',
      'Roles must alternate!',
    );
  });

  it.each([
    ['that cannot be parsed', '{% if %}', 'template-failed', 'tokenizer_config.json'],
    ['that is a number', 7, 'tokenizer-unsupported', '"chat_template" must be'],
    ['list without a default', [{ name: 'rag', template: 'x' }], 'tokenizer-unsupported', '"default"'],
  ] as const)('refuses a template %s', (_, template, code, message) => {
    expectRefusal(() => withTemplate(template), code, message);
  });
});

describe('supportsSystem', () => {
  const turns =
    "{% for m in messages %}{% if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endif %}{% endfor %}";

  it.each<readonly [string, string, boolean]>([
    ['puts it first', '{% for m in messages %}{{ m.role + m.content }}{% endfor %}', true],
    ['refuses it', "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + turns, false],
    ['leaves it out', turns, false],
    ['puts it into the last turn', `${turns}{{ messages[0].content }}`, false],
  ])('of a template that %s is told', (_, template, expected) => {
    expect(withTemplate(template).supportsSystem).toBe(expected);
  });
});

describe('the plain form of models without a template', () => {
  it('is question and answer behind what the tokenizer puts in front of a text', () => {
    const template = templateOf({});
    const messages: readonly ChatMessage[] = [
      { role: 'system', content: 'The files.' },
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: 'So.' },
      { role: 'user', content: ' Really?' },
    ];
    expect(template.supportsSystem).toBe(true);
    expect(template.render(messages, prompt)).toBe(
      '<s>The files.\n\nQuestion: Why?\nAnswer: So.\n\nQuestion:  Really?\nAnswer:',
    );
    expect(template.render(question, { addGenerationPrompt: false })).toBe('<s>Question: Why?\n');
    expect(templateOf({}, fixture('qwen2')).render(question, prompt)).toBe('Question: Why?\nAnswer:');
  });
});
