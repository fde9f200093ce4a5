import type { HeadInput } from '../contract/words.js';
import { throwIfCancelled } from '../errors.js';
import type { FrozenModel } from './frozen-model.js';
import type { LayerSample } from './head-optimizer.js';
import type { LabelPass } from './label-pass.js';
import type { TrainingSample } from './sample.js';

/** The longest answer that the model gives itself, in tokens. */
const longestOwnAnswer = 64;

export interface LabelOptions {
  /** What the heads read. */
  readonly input: HeadInput;
  /** Tokens that end the model's own answer. */
  readonly stopTokens: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++)
    if ((logits[token] ?? -Infinity) > (logits[best] ?? -Infinity)) best = token;
  return best;
}

/**
 * Lets the model read a sample's text.
 * @returns per layer what its heads would read, `[tokens, inputs]`
 * @throws LocretError cancelled, engine-failed
 */
export function readInputs(
  model: FrozenModel,
  memory: Int32Array,
  { input, signal }: LabelOptions,
): Promise<readonly Float32Array[]> {
  return model.readText(memory, input, () => {
    throwIfCancelled(signal, 'Training');
  });
}

/**
 * Lets the model read a sample: what its heads would read, and what every unit is worth to the answers.
 * @returns per layer
 * @throws LocretError cancelled, engine-failed
 */
export async function labelSample(
  model: FrozenModel,
  labels: LabelPass,
  { memory, exchanges }: TrainingSample,
  options: LabelOptions,
): Promise<readonly LayerSample[]> {
  const { stopTokens, signal } = options;
  const inputs = await readInputs(model, memory, options);
  await labels.begin(model, memory.length);
  for (const { prompt, answer } of exchanges) {
    throwIfCancelled(signal, 'Training');
    await model.readBehind(async (read) => {
      if (answer !== undefined) {
        const pass = await read(Int32Array.from([...prompt, ...answer]));
        await labels.observe(model, pass, { begin: prompt.length, end: pass.tokens });
        return;
      }
      let pass = await read(Int32Array.from(prompt));
      for (let length = 0; length < longestOwnAnswer; length++) {
        const token = likeliest(pass.logits);
        // The first token is read in any case: an exchange without an answer has no labels.
        if (length > 0 && stopTokens.includes(token)) break;
        pass = await read(Int32Array.of(token));
        await labels.observe(model, pass, { begin: 0, end: 1 });
      }
    });
  }
  return labels.labels().map((of, layer) => ({ input: inputs[layer] ?? new Float32Array(0), labels: of }));
}
