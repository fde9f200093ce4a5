import type { Engine, LayerCache } from '../../../../server/engine/engine.js';

/** What tests of engines over the small fixture model share. */
export const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };
const vocabulary = 512;

/** Tokens of the fixture model's vocabulary, the same ones for the same seed. */
export function someTokens(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return (state >> 8) % vocabulary;
  });
}

export async function wholeCache(engine: Engine): Promise<LayerCache[]> {
  const layers: LayerCache[] = [];
  for (let layer = 0; layer < engine.description.shape.layers.length; layer++)
    layers.push(await engine.exportLayer(layer));
  return layers;
}

/** Layers as `importLayers` takes them. */
export async function* oneByOne(layers: readonly LayerCache[]): AsyncGenerator<LayerCache> {
  for (const layer of layers) yield await Promise.resolve(layer);
}

/** What an engine says to a question, which leaves no trace. */
export async function continuation(
  engine: Engine,
  question: readonly number[],
): Promise<{ logits: number[]; tokens: number[] }> {
  const mark = await engine.mark();
  const { logits } = await engine.extend(question, { evict: 'none', logits: 'last' });
  const { tokens } = await engine.generate({ maxTokens: 8, sampling: greedy, stopTokens: [] });
  await engine.rewind(mark);
  return { logits: [...logits], tokens: [...tokens] };
}
