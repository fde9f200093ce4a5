import { Option, type Command } from 'commander';
import { trainingSettings, type GivenTrainingOptions, type Goodness } from '../contract/training.js';
import { cancelled, LocretError } from '../errors.js';
import { resolveModel } from '../model/catalog.js';
import { evaluateHeads } from '../training/evaluate-heads.js';
import type { TrainingEvent } from '../training/training-messages.js';
import { completeOptions } from '../training/training-options.js';
import type { TrainingProgress } from '../training/training-steps.js';
import { cacheFolder } from '../workspace/cache-folder.js';
import { modelFolders } from '../workspace/model-folders.js';
import { printable, interruptSignal } from './exit.js';
import { formatAmount, formatCount, formatSeconds } from '../quantities.js';
import { oneParagraph } from './format.js';
import { userPath, wholeNumber, withSettings } from './options.js';
import { callUntil, printNotice, serviceOfTerminal, terminalWorkspace } from './terminal-workspace.js';

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
function renderQuality({ overlap, regression }: Goodness): string {
  return `overlap of the top 10 % ${overlap.toFixed(3)} (chance 0.10) · SmoothL1 ${regression.toFixed(3)}`;
}

/** One line about a training. */
function renderTraining({ step, steps, loss, secondsLeft }: TrainingProgress): string {
  return (
    `Step ${formatCount(step)} of ${formatCount(steps)} · SmoothL1 ${loss.regression.toFixed(3)}` +
    ` · overlap ${loss.overlap.toFixed(3)}${step === steps ? '' : ` · ${formatSeconds(secondsLeft)} left`}`
  );
}

function repositoriesOf({ repo }: TrainCommandOptions): readonly string[] {
  return repo.length === 0 ? [userPath('.')] : repo;
}

/** Measures heads that there are. */
async function evaluate(heads: string, options: TrainCommandOptions, signal: AbortSignal): Promise<void> {
  const settings = {
    ...completeOptions(options),
    model: await resolveModel(options.model, modelFolders()),
    repositories: repositoriesOf(options),
    cacheFolder: cacheFolder(),
  };
  const quality = await evaluateHeads(heads, options.samples, settings, { signal });
  const { overlaps, samples, tokens } = quality;
  process.stdout.write(
    `${formatAmount(samples, 'sample')}, ${formatAmount(tokens, 'token')}, labels "${settings.labels}": ${renderQuality(quality)}\n` +
      overlaps.map((row, layer) => `  layer ${layer}: ${row.map((one) => one.toFixed(2)).join(' ')}\n`).join(''),
  );
}

/** Tells how far a training is. @param steps of all */
function printEvent(event: TrainingEvent, steps: number): void {
  switch (event.kind) {
    case 'begin': {
      const { trainingFiles, heldOutFiles, tokens, step } = event.begin;
      const from = step === 0 ? '' : ` Going on after step ${formatCount(step)}.`;
      printNotice(
        `${formatAmount(trainingFiles, 'file')} to train on, ${formatCount(heldOutFiles)} held out; ` +
          `samples of ${formatCount(tokens)} tokens.${from}`,
      );
      break;
    }
    case 'progress': {
      const { step } = event.progress;
      const interval = Math.max(1, Math.floor(steps / linesPerTraining));
      if (step % interval === 0 || step === steps) printNotice(renderTraining(event.progress));
      break;
    }
    case 'quality':
      printNotice(`Held out, step ${formatCount(event.step)}: ${renderQuality(event.quality)}`);
      break;
    case 'phase':
  }
}

async function run(options: TrainCommandOptions): Promise<void> {
  const signal = interruptSignal();
  if (options.evaluate !== undefined) {
    await evaluate(options.evaluate, options, signal);
    return;
  }
  const { out, model, fresh } = options;
  if (out === undefined) {
    throw new LocretError('invalid-argument', 'Nothing says where the heads go.', 'Name a file with --out.');
  }
  const { steps } = completeOptions(options);
  const workspace = terminalWorkspace(
    {},
    {
      onTraining: (event) => {
        printEvent(event, steps);
      },
    },
  );
  const params = { repositories: repositoriesOf(options), model, out, options, fresh };
  const result = await serviceOfTerminal(workspace)['locret/train'].handle(params, callUntil(signal));
  if (result.end === 'finished') {
    const quality = result.course.at(-1)?.heldOut;
    process.stdout.write(`${printable(result.out)}${quality === undefined ? '' : `: ${renderQuality(quality)}`}\n`);
    return;
  }
  if (result.step > 0)
    printNotice(`Paused after step ${formatCount(result.step)}. The same command goes on there; --fresh begins anew.`);
  throw cancelled('Training');
}

/** Adds `locret train`. */
export function registerTrain(program: Command): void {
  const collect = (text: string, earlier: readonly string[]): string[] => [...earlier, userPath(text)];
  const command = program
    .command('train')
    .summary('train retaining heads for a model, or measure some')
    .description(oneParagraph(description))
    .option('--model <name|path>', 'model: a name that `locret models` lists, a folder or a GGUF file', 'nano')
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
