import type { Command } from 'commander';
import { renderPlan } from '../memory/planning/render-plan.js';
import { oneParagraph } from './format.js';
import { planFromOptions, printNotice } from './open-from-options.js';
import { withReadingOptions, type ReadingOptions } from './options.js';

const description = `
Shows how much memory reading and asking will take, and the sizes that are fixed before the model is loaded. Nothing is
loaded. The cache does not grow with the repository. Where the machine has too little memory the plan says so, with the
arithmetic, and the exit code is 1.`;

async function run(options: ReadingOptions & { readonly json?: boolean }): Promise<void> {
  const { model, plan } = await planFromOptions(options);
  if (options.json === true) {
    const { notices, ...rest } = plan;
    process.stdout.write(`${JSON.stringify({ model: model.name, folder: model.place, ...rest, notices }, null, 2)}\n`);
    return;
  }
  plan.notices.forEach(printNotice);
  process.stdout.write(`${renderPlan(model, plan)}\n`);
}

/** Adds `locret plan`. */
export function registerPlan(program: Command): void {
  withReadingOptions(program.command('plan').summary('show the memory that reading will take'))
    .description(oneParagraph(description))
    .option('--json', 'print one JSON object')
    .action(run);
}
