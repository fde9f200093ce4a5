import { mkdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { HeadInput, LabelKind } from '../../server/contract/words.js';
import { trainHeads } from '../../server/training/train-heads.js';
import { completeOptions } from '../../server/training/training-options.js';

/** Heads that are trained for the table, as `locret train` does it. */
export interface TrainedVariant {
  readonly labels: LabelKind;
  readonly input: HeadInput;
}

/** Sources to train on, as scripts/bench.mjs installs them: others than those that are asked about. */
const sources = ['rxjs/src', 'ramda/src', 'undici/lib', 'ethers/src.ts', 'mathjs/lib/esm', 'mobx/src'].map((name) =>
  path.join('.cache/bench/training/node_modules', name),
);

/** The same for all variants. Many questions about short texts, so that what is labelled low is not only what nobody asked. */
const options = { width: 96, steps: 800, rate: 2e-3, tokens: 512, questions: 30, seed: 0, answers: 'source' } as const;

/** How they were trained, in words. */
export const trainingWords =
  `${options.steps} steps, each on a text of at most ${options.tokens} tokens with at most ${options.questions} questions, ` +
  `learning rate ${options.rate}, width ${options.width}, on rxjs, ramda, undici, ethers, mathjs and mobx`;

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/**
 * The file of a variant's heads for a model; trained when it is first needed, which takes minutes.
 * @param weights identity of the model's weights
 * @param folder where heads are kept
 */
export async function headsOf(
  { labels, input }: TrainedVariant,
  { model, weights, folder, threads }: { model: string; weights: string; folder: string; threads: number },
): Promise<string> {
  const name = `${weights.slice(0, 16)}-${labels}-${input}-${options.steps}`;
  const file = path.join(folder, `${name}.safetensors`);
  if (await isThere(file)) return file;
  await mkdir(folder, { recursive: true });
  const out = path.join(folder, `${name}.unfinished.safetensors`);
  await trainHeads(
    {
      ...completeOptions({ ...options, labels, input, threads }),
      model,
      repositories: sources,
      cacheFolder: path.resolve('.cache/bench/product'),
      out,
      fresh: false,
    },
    {
      onProgress: ({ step, steps, loss }) => {
        if (step % 100 === 0 || step === steps)
          process.stderr.write(`${name}: step ${step} of ${steps}, overlap ${loss.overlap.toFixed(3)}\n`);
      },
    },
  );
  await rename(out, file);
  return file;
}
