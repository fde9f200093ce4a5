import os from 'node:os';
import type { Command } from 'commander';
import type { Detected } from '../backends/backend.js';
import { planWhereItRuns } from '../backends/choose-backend.js';
import { backends } from '../backends/index.js';
import { isLocretError } from '../errors.js';
import type { PlannedBackend } from '../memory/planning/plan.js';
import { resolveModel } from '../model/catalog.js';
import { openModel } from '../model/model.js';
import { readHeadsHeader } from '../model/retaining-heads.js';
import { modelFolders } from '../workspace/model-folders.js';
import { printable } from './exit.js';
import { formatBytes } from '../quantities.js';
import { oneParagraph } from './format.js';

const description = `
Shows where a model would run on this machine, and why: the NVIDIA driver, its GPUs and their free memory, the memory of
the machine, what is missing for a GPU and how to get it. Nothing is loaded.`;

/** What is there, and what would be chosen. */
export interface Diagnosis {
  /** What the backends find on this machine, for programs. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The same for people, and what is missing: what each is called, and what it is. */
  readonly rows: readonly (readonly [name: string, text: string])[];
  readonly model: string;
  /** Where the model would run; or why it cannot. */
  readonly choice: PlannedBackend | { readonly name: 'none'; readonly reason: string; readonly remedy: string };
}

/** What of a machine is looked at. */
export interface DoctorOptions {
  /** A name that `locret models` lists, a folder or a GGUF file. */
  readonly model: string;
  /** Where models can run. */
  readonly among?: typeof backends;
}

async function choiceFor(folder: string, among: typeof backends): Promise<Diagnosis['choice']> {
  try {
    const model = await openModel(folder);
    const { heads } = model.locret;
    const retaining = heads === undefined ? undefined : readHeadsHeader(heads, model.shape);
    return planWhereItRuns(model, { threads: os.availableParallelism() }, retaining, among).backend;
  } catch (error) {
    if (!isLocretError(error)) throw error;
    return { name: 'none', reason: error.message, remedy: error.remedy };
  }
}

function rowsOf({ rows, missing }: Detected): Diagnosis['rows'] {
  const lacking =
    missing === undefined
      ? []
      : ([
          ['missing', missing.problem],
          ['', missing.remedy],
        ] as const);
  return [...rows(formatBytes), ...lacking];
}

/**
 * Looks at the machine.
 * @throws LocretError model-not-found
 */
export async function diagnose({ model, among = backends }: DoctorOptions): Promise<Diagnosis> {
  const folder = await resolveModel(model, modelFolders());
  const looked = among.map((backend) => ({ backend, found: backend.detect() }));
  // What was found is not looked for again: the choice is made from what is shown.
  const asFound = looked.map(({ backend, found }) => ({ ...backend, detect: () => found }));
  return {
    facts: Object.fromEntries(looked.flatMap(({ found }) => Object.entries(found.facts))),
    rows: looked.flatMap(({ found }) => rowsOf(found)),
    model,
    choice: await choiceFor(folder, asFound),
  };
}

function renderChoice({ model, choice }: Diagnosis): readonly string[] {
  return 'remedy' in choice
    ? [`${model} does not run here: ${choice.reason}`, choice.remedy]
    : [`${model} runs on ${choice.place}: ${choice.reason}.`];
}

/** A diagnosis for people. */
export function renderDiagnosis(diagnosis: Diagnosis): string {
  const rows = diagnosis.rows.map(([name, text]) => `${name.padEnd(11)}${text}`);
  return [...rows, '', ...renderChoice(diagnosis)].map(printable).join('\n');
}

/** Adds `locret doctor`. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('show where a model would run here, and why')
    .description(oneParagraph(description))
    .option('--model <name|path>', 'model: a name that `locret models` lists, a folder or a GGUF file', 'nano')
    .option('--json', 'print one JSON object')
    .action(async ({ model, json }: { readonly model: string; readonly json?: boolean }) => {
      const diagnosis = await diagnose({ model });
      const { facts, choice } = diagnosis;
      const text = json === true ? JSON.stringify({ ...facts, model, choice }, null, 2) : renderDiagnosis(diagnosis);
      process.stdout.write(`${text}\n`);
    });
}
