import type { ChatMessage } from './chat-template.js';
import type { LoadedModel } from './model.js';

/** The text around a repository in a model's own chat format. */
export interface PromptFrame {
  /** Before the repository. */
  readonly before: string;
  /** The same with a question in front of the repository, so that what is kept may depend on it (the paper's Locret-Q). */
  beforeWithQuestion(question: string): string;
  /** Behind the repository and recalled definitions: the conversation, up to where the answer begins. */
  after(messages: readonly ChatMessage[]): string;
}

/** Stands for the repository when a template is rendered; not blank, because templates trim. */
const placeholder = 'LOCRET-REPOSITORY-9D0C6F52';

const productInstructions =
  'You answer questions about the source code of the repository below. Name the files and definitions that your answer ' +
  'rests on. If the repository does not tell, say so.';

/** Renders the conversation with the repository's placeholder at its place. */
function renderWithPlaceholder(model: LoadedModel, introduction: string, messages: readonly ChatMessage[]): string {
  const { template } = model;
  const system = introduction === '' ? placeholder : `${introduction}\n\n${placeholder}`;
  const options = { addGenerationPrompt: true };
  if (template.supportsSystem) return template.render([{ role: 'system', content: system }, ...messages], options);
  const [first, ...rest] = messages;
  const content = `${system}\n\n${first?.content ?? ''}`;
  return template.render([{ role: 'user', content }, ...rest], options);
}

/** The two sides of the placeholder. */
function split(text: string): { readonly before: string; readonly after: string } {
  const at = text.indexOf(placeholder);
  if (at < 0) return { before: '', after: text };
  return { before: text.slice(0, at), after: text.slice(at + placeholder.length) };
}

/**
 * The frame of a model's prompts: `template start · repository · recalled definitions · conversation`. The repository
 * stands in the system message, or in front of the first question where the template knows no system message.
 * @throws LocretError template-failed
 */
export function promptFrame(model: LoadedModel): PromptFrame {
  const instructions = model.locret.instructions ?? productInstructions;
  const anyQuestion: readonly ChatMessage[] = [{ role: 'user', content: 'question' }];
  const before = split(renderWithPlaceholder(model, instructions, anyQuestion)).before;
  return {
    before,
    beforeWithQuestion: (question) => {
      const message: ChatMessage = { role: 'user', content: model.tokenizer.neutralize(question) };
      // A model without instructions was trained on the bare form: a turn of its own before the repository.
      if (instructions === '') return model.template.render([message], { addGenerationPrompt: false }) + before;
      const introduction = `${instructions}\n\nThe question will be:\n${message.content}`;
      return split(renderWithPlaceholder(model, introduction, anyQuestion)).before;
    },
    after: (messages) => split(renderWithPlaceholder(model, instructions, messages)).after,
  };
}

/**
 * Tokens of a prompt's beginning. Templates write the begin-of-text token themselves; where one does not and the
 * tokenizer wants it, it is put in front.
 */
export function beginningTokens(model: LoadedModel, text: string): number[] {
  const { tokenizer } = model;
  const tokens = tokenizer.encode(text);
  const [first] = tokenizer.encode('', { addSpecialTokens: true });
  const isMissing = first !== undefined && tokens[0] !== first && !model.generation.stopTokens.includes(first);
  return isMissing ? [first, ...tokens] : tokens;
}
