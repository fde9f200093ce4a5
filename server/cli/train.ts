import { Option, type Command } from 'commander';
import { trainingSettings, type GivenTrainingOptions } from '../contract/training.js';
import { isLocretError, LocretError } from '../errors.js';
import { resolveModel } from '../model/catalog.js';
import type { HeadQuality } from '../training/evaluation.js';
import { evaluateHeads } from '../training/evaluate-heads.js';
import { trainHeads } from '../training/train-heads.js';
import { completeOptions } from '../training/training-options.js';
import type { TrainingProgress } from '../training/training-steps.js';
import { cacheFolder } from '../workspace/cache-folder.js';
import { modelFolders } from '../workspace/model-folders.js';
import { printable, interruptSignal } from './exit.js';
import { formatAmount, formatCount, formatSeconds } from '../quantities.js';
import { oneParagraph } from './format.js';
import { userPath, wholeNumber, withSettings } from './options.js';

const description = `
Trains retaining heads for a model on source code of yours: the model reads pieces of the repositories and answers
questions about them, and the heads learn to predict which cache units its answers look at. The model itself stays as it
is. Ctrl-C pauses: the same command goes on where it stopped; --fresh begins anew. A tenth of the files is held out, and
the overlap of the predicted with the true top 10 % is measured on it (chance: 0.10). --evaluate measures heads that there
are, and trains nothing.`;

interface TrainCommandOptions extends GivenTrainingOptions {
  readonly model: string;
  readonly repo: readonly string[];
  readonly out?: string;
  readonly evaluate?: string;
  readonly samples: number;
  readonly fresh?: boolean;
}

const linesPerTraining = 50;

/** `overlap 0.231 (chance 0.10) · SmoothL1 1.245` */
function renderQuality({ overlap, regression }: HeadQuality): string {
  return `overlap of the top 10 % ${overlap.toFixed(3)} (chance 0.10) · SmoothL1 ${regression.toFixed(3)}`;
}

/** One line about a training. */
function renderTraining({ step, steps, loss, secondsLeft }: TrainingProgress): string {
  return (
    `Step ${formatCount(step)} of ${formatCount(steps)} · SmoothL1 ${loss.regression.toFixed(3)}` +
    ` · overlap ${loss.overlap.toFixed(3)}${step === steps ? '' : ` · ${formatSeconds(secondsLeft)} left`}`
  );
}

function printLine(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

async function run(options: TrainCommandOptions): Promise<void> {
  const signal = interruptSignal();
  const { repo, out, fresh = false } = options;
  const settings = {
    ...completeOptions(options),
    modelFolder: await resolveModel(options.model, modelFolders()),
    repositories: repo.length === 0 ? [userPath('.')] : repo,
    cacheFolder: cacheFolder(),
  };
  const { labels, steps } = settings;
  if (options.evaluate !== undefined) {
    const quality = await evaluateHeads(options.evaluate, options.samples, settings, { signal });
    const { overlaps, samples } = quality;
    process.stdout.write(
      `${formatAmount(samples, 'sample')}, ${formatAmount(quality.tokens, 'token')}, labels "${labels}": ${renderQuality(quality)}\n` +
        overlaps.map((row, layer) => `  layer ${layer}: ${row.map((one) => one.toFixed(2)).join(' ')}\n`).join(''),
    );
    return;
  }
  if (out === undefined) {
    throw new LocretError('invalid-argument', 'Nothing says where the heads go.', 'Name a file with --out.');
  }
  const interval = Math.max(1, Math.floor(steps / linesPerTraining));
  let done = 0;
  try {
    const trained = await trainHeads(
      { ...settings, out, fresh },
      {
        signal,
        onBegin: ({ trainingFiles, heldOutFiles, tokens: size, step }) => {
          done = step;
          const from = step === 0 ? '' : ` Going on after step ${formatCount(step)}.`;
          printLine(
            `${formatAmount(trainingFiles, 'file')} to train on, ${formatCount(heldOutFiles)} held out; ` +
              `samples of ${formatCount(size)} tokens.${from}`,
          );
        },
        onProgress: (progress) => {
          done = progress.step;
          if (done % interval === 0 || done === steps) printLine(renderTraining(progress));
        },
        onQuality: (quality, step) => {
          printLine(`Held out, step ${formatCount(step)}: ${renderQuality(quality)}`);
        },
      },
    );
    process.stdout.write(`${printable(trained.file)}: ${renderQuality(trained.quality)}\n`);
  } catch (error) {
    if (isLocretError(error, 'cancelled') && done > 0)
      printLine(`Paused after step ${formatCount(done)}. The same command goes on there; --fresh begins anew.`);
    throw error;
  }
}

/** Adds `locret train`. */
export function registerTrain(program: Command): void {
  const collect = (text: string, earlier: readonly string[]): string[] => [...earlier, userPath(text)];
  const command = program
    .command('train')
    .summary('train retaining heads for a model, or measure some')
    .description(oneParagraph(description))
    .option('--model <name|folder>', 'model: a name that `locret models` lists, or a folder', 'nano')
    .addOption(
      new Option('--repo <folder>', 'repository to train on (repeatable)')
        .argParser(collect)
        .default([], 'the current folder'),
    )
    .option('--out <file>', 'where the heads go (safetensors)', userPath)
    .option('--evaluate <heads>', 'measure these heads and train nothing', userPath)
    .option('--samples <n>', 'held-out samples that --evaluate measures on', wholeNumber(1), 32)
    .option('--fresh', 'begin anew although a paused training could go on')
    .action(run);
  withSettings(command, trainingSettings);
}
