import type { ChatTemplate } from './chat-template.js';
import type { GenerationSettings } from './generation-settings.js';
import type { LocretSettings } from './locret-settings.js';
import type { ModelShape } from './shape.js';
import type { ModelTokenizer } from './tokenizer.js';

/** A model folder without its weights: what reading and asking need besides the engine. */
export interface LoadedModel {
  readonly folder: string;
  /** The folder's last name, for people. */
  readonly name: string;
  readonly shape: ModelShape;
  readonly tokenizer: ModelTokenizer;
  readonly template: ChatTemplate;
  readonly generation: GenerationSettings;
  readonly locret: LocretSettings;
}
