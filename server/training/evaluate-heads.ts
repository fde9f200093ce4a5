import { openModel } from '../model/model.js';
import { openRetainingHeads } from '../model/retaining-heads.js';
import { measureHeads, type HeadQuality } from './evaluation.js';
import { LabelledSamples, type SampleHooks, type SampleSettings } from './labelled-samples.js';

/**
 * Measures heads on source files of repositories that `trainHeads` would hold out.
 * @param heads a file of heads; what they read is in it
 * @param count samples
 * @throws LocretError heads-corrupt, cancelled, and what opening the model and the repositories throws
 */
export async function evaluateHeads(
  heads: string,
  count: number,
  settings: Omit<SampleSettings, 'input'>,
  hooks: SampleHooks = {},
): Promise<HeadQuality> {
  const model = await openModel(settings.model);
  const { shape } = model;
  const opened = openRetainingHeads(heads, shape);
  const weights = shape.layers.map((_, layer) => ({
    first: opened.first(layer),
    second: opened.second(layer),
  }));
  const { input } = opened;
  const samples = await LabelledSamples.open(model, { ...settings, input }, hooks);
  try {
    return await measureHeads(weights, { shape, input, threads: settings.threads }, samples.heldOut(count));
  } finally {
    await samples.dispose();
  }
}
