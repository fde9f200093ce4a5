export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** The model's own jinja template (`tokenizer_config.json`, or `chat_template.jinja` beside it). */
export interface ChatTemplate {
  /** @throws LocretError template-failed with the template's own message */
  render(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string;
  /** False when the template refuses a system message. */
  readonly supportsSystem: boolean;
}
