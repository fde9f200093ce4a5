import type { Command } from 'commander';
import type { ModelEntry, UsableModel } from '../contract/models.js';
import { bundledModels } from '../model/catalog.js';
import { printable } from './exit.js';
import { formatBytes } from '../quantities.js';
import { oneParagraph } from './format.js';
import { callUntil, serviceOfTerminal, terminalWorkspace } from './terminal-workspace.js';

const description = `
Lists the models that can be named with --model: the bundled ones, and those in your own models folder. A model is a
folder as published on the Hugging Face hub (config.json, safetensors files, tokenizer.json) or a GGUF file.`;

/** `3.0 M`, `494 M`, `7.6 B` weights. */
function formatParameters(count: number): string {
  const [value, unit] = count < 1e9 ? [count / 1e6, 'M'] : [count / 1e9, 'B'];
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

function headsText({ heads, headLabels }: UsableModel): string {
  if (!heads) return 'no retaining heads: a training-free policy is used';
  return `trained retaining heads${headLabels === undefined ? '' : ` (labels: ${headLabels})`}`;
}

/** One model in a few lines. */
export function renderModel(model: ModelEntry): string {
  const facts =
    'problem' in model
      ? [`cannot be used: ${model.problem}`]
      : [
          [
            model.family,
            `${formatParameters(model.parameters)} parameters`,
            formatBytes(model.storedBytes),
            headsText(model),
          ].join(' · '),
        ];
  const lines = [model.description ?? [], facts, model.folder].flat();
  return [model.name, ...lines.map((line) => `  ${printable(line)}`)].join('\n');
}

/** Adds `locret models`. */
export function registerModels(program: Command): void {
  program
    .command('models')
    .summary('list the models that can be used')
    .description(oneParagraph(description))
    .option('--json', 'print one JSON array')
    .action(async (options: { readonly json?: boolean }) => {
      const { signal } = new AbortController();
      const service = serviceOfTerminal(terminalWorkspace());
      const { models, folders } = await service['locret/models'].handle({}, callUntil(signal));
      if (options.json === true) {
        process.stdout.write(`${JSON.stringify(models, null, 2)}\n`);
        return;
      }
      const own = folders.filter((folder) => folder !== bundledModels());
      process.stdout.write(`${models.map(renderModel).join('\n\n')}\n\nYour own models go into ${own.join(', ')}.\n`);
    });
}
