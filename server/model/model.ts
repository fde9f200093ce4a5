import { setImmediate } from 'node:timers/promises';
import type { LocretSettings } from '../contract/settings.js';
import type { ChatTemplate } from './chat-template.js';
import type { GenerationSettings } from './generation-settings.js';
import { openModelSource } from './open-model-source.js';
import type { ModelShape } from './shape.js';
import type { ModelTokenizer } from './tokenizer.js';

/** A model without its weights: what reading and asking need besides the engine. */
export interface LoadedModel {
  /** Where it lies; `openModelSource` opens it there again. */
  readonly place: string;
  /** For people. */
  readonly name: string;
  readonly shape: ModelShape;
  readonly tokenizer: ModelTokenizer;
  readonly template: ChatTemplate;
  readonly generation: GenerationSettings;
  readonly locret: LocretSettings;
}

/**
 * Opens everything of a model but its weights. Others get their turn on this thread between the parts: a large tokenizer
 * alone takes half a second.
 * @param place what `openModelSource` takes
 * @throws LocretError model-not-found, model-unsupported, model-corrupt, tokenizer-unsupported, template-failed; each
 *   names the file and the value, and what was expected
 */
export async function openModel(place: string): Promise<LoadedModel> {
  const source = openModelSource(place);
  const shape = source.shape();
  const tokenizer = source.tokenizer();
  await setImmediate();
  return {
    place: source.place,
    name: source.name,
    shape,
    tokenizer,
    template: source.template(tokenizer),
    generation: source.generation(tokenizer),
    locret: source.locretSettings(),
  };
}
