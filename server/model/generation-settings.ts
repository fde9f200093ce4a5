/** `generation_config.json`, with the stop tokens of config.json and the tokenizer joined in. */
export interface GenerationSettings {
  readonly stopTokens: readonly number[];
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly repetitionPenalty?: number;
}
