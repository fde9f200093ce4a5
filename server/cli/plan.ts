import type { Command } from 'commander';
import { renderPlan } from '../memory/planning/render-plan.js';
import { oneParagraph } from './format.js';
import { withReadingOptions, type ReadingOptions } from './options.js';
import { printNotice, withRoot } from './terminal-workspace.js';

const description = `
Shows how much memory reading and asking will take, and the sizes that are fixed before the model is loaded. Nothing is
loaded. The cache does not grow with the repository. Where the machine has too little memory the plan says so, with the
arithmetic, and the exit code is 1.`;

async function run(options: ReadingOptions & { readonly json?: boolean }): Promise<void> {
  const { planned } = await withRoot(options, ({ root }) => root.plan());
  const { model, plan } = planned;
  const { notices, ...rest } = plan;
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ model: model.name, folder: model.place, ...rest, notices }, null, 2)}\n`);
    return;
  }
  notices.forEach(printNotice);
  process.stdout.write(`${renderPlan(model, plan)}\n`);
}

/** Adds `locret plan`. */
export function registerPlan(program: Command): void {
  withReadingOptions(program.command('plan').summary('show the memory that reading will take'))
    .description(oneParagraph(description))
    .option('--json', 'print one JSON object')
    .action(run);
}
