import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Engine } from '../server/engine/engine.js';
import { loadEngine, planModel, type PlannedModel } from '../server/memory/planned-model.js';
import { type LoadedModel, openModel } from '../server/model/model.js';
import { openCheckpoint } from '../server/model/open-checkpoint.js';
import { openRetainingHeads } from '../server/model/retaining-heads.js';
import { surveyRepository } from '../server/repository/survey.js';
import { publish } from './figure.js';
import { type Outcome, runCell } from './quality-cell.js';
import { drawChart } from './quality-chart.js';
import { headsOf, trainingWords } from './quality-heads.js';
import { type BenchRepository, cutRepository } from './quality-repositories.js';
import { keepOutcomes, knownOutcomes } from './quality-results.js';
import { type QualityRow, qualityRows } from './quality-rows.js';
import { chartPanels, kindTable, type MeasuredCell, overallTable } from './quality-tables.js';

/** Packages that the bundled model's training never saw, as scripts/bench.mjs installs them. */
const heldOut = [
  'immer',
  'preact',
  'commander',
  'prosemirror-view',
  '@trpc/server',
  'zod',
  'webpack',
  'luxon',
  'nodemailer',
  'mongoose',
  'stylelint',
].map((name) => path.join('.cache/bench/held-out/node_modules', name));

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'models/nano' },
    tokens: { type: 'string', multiple: true },
    budget: { type: 'string', multiple: true },
    row: { type: 'string', multiple: true },
    repositories: { type: 'string' },
    questions: { type: 'string' },
    'per-question': { type: 'string' },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
  },
});
const { quick } = options;
const seed = Number(options.seed);
const cache = '.cache/bench/quality';
const product = '.cache/bench/product';
/** Units behind a full cache for a question and its answer. */
const behindFull = 192;
const survey = { maxFileBytes: 1 << 20, include: [], exclude: [] };

const packages = positionals.length > 0 ? positionals : heldOut;
const model = await openModel(options.model);
const weights = weightsOf(model);
const window = model.locret.window ?? model.shape.maxPositions;
/** What fits the window with all that stands behind it. */
const smallest = window - 2 * behindFull;
const lengths = options.tokens?.map(Number) ?? [smallest, 16_384, ...(quick ? [] : [65_536, 262_144])];
const repositories = Number(options.repositories ?? (quick ? 2 : 10));
const questions = Number(options.questions ?? (quick ? 10 : 25));
const perQuestion = Number(options['per-question'] ?? (quick ? 2 : 25));
const rows = qualityRows.filter(({ name }) => options.row === undefined || options.row.includes(name));

/** Identity of the backbone's weights. */
function weightsOf({ folder }: LoadedModel): string {
  const checkpoint = openCheckpoint(folder);
  try {
    return checkpoint.fingerprint;
  } finally {
    checkpoint.close();
  }
}

/**
 * Of a repository that fits the window a twentieth, a sixth and a third; otherwise the paper's range of budgets as far as the model's
 * window goes, at most four of them; quickly only the model's own.
 */
function budgetsOf({ locret }: LoadedModel, tokens: number): number[] {
  if (tokens <= smallest) return [20, 6, 3].map((share) => Math.floor(tokens / share));
  if (quick && locret.budget !== undefined) return [locret.budget];
  const room = Math.max(locret.chunk ?? 0, behindFull) + (locret.local ?? 0);
  return [128, 256, 512, 1024, 2048, 4096].filter((budget) => budget + room <= window).slice(-4);
}

/** Repositories of so many tokens, of each package in turn; short ones hold few questions, so there are more of them. */
async function repositoriesOf(tokens: number): Promise<BenchRepository[]> {
  const count = tokens <= window ? 4 * repositories : repositories;
  const cut: BenchRepository[] = [];
  for (let i = 0; i < count; i++) {
    const first = i % packages.length;
    const inTurn = [...packages.slice(first), ...packages.slice(0, first)];
    const variant = Math.floor(i / packages.length);
    cut.push(
      await cutRepository(path.join(cache, 'repositories'), inTurn, tokens, { tokenizer: model.tokenizer, variant }),
    );
  }
  return cut;
}

async function planRow(repo: string, row: QualityRow, budget: number): Promise<PlannedModel> {
  const threads = Number(options.threads);
  const modelFolder = options.model;
  const settings = { repo, modelFolder, threads };
  if (!row.full) {
    const heads =
      row.heads && (await headsOf(row.heads, { modelFolder, weights, folder: path.resolve(cache, 'heads'), threads }));
    return planModel({
      ...settings,
      policy: row.policy,
      allocation: row.allocation,
      budget,
      ...(heads === undefined ? {} : { heads }),
    });
  }
  const planned = await planModel({ ...settings, policy: row.policy });
  const { plan } = planned;
  return { ...planned, plan: { ...plan, cache: { ...plan.cache, budget: Infinity, capacity: window } } };
}

async function loadRow(planned: PlannedModel): Promise<Engine> {
  return loadEngine(planned, product, (notice) => process.stderr.write(`${notice}\n`));
}

/** What one row has to say about all repositories of a length. */
async function measure(
  row: QualityRow,
  tokens: number,
  budget: number,
  all: readonly BenchRepository[],
): Promise<MeasuredCell> {
  const outcomes: Outcome[] = [];
  let engine: Engine | undefined;
  try {
    for (const { name, root } of all) {
      const count = row.perQuestion ? Math.min(perQuestion, questions) : questions;
      const planned = await planRow(root, row, budget);
      const { cache: sizes, heads: file } = planned.plan;
      const heads = file === undefined ? undefined : openRetainingHeads(file, model.shape).fingerprint;
      const cell = { weights, heads, root, row: row.name, plan: sizes, questions: count, seed };
      let found = await knownOutcomes(cache, cell);
      if (found === undefined) {
        engine ??= await loadRow(planned);
        const files = await surveyRepository(root, survey);
        const input = { engine, planned, survey: files, options: survey, mode: row.mode, questions: count, seed };
        found = await runCell(input);
        await keepOutcomes(cache, cell, found);
      }
      outcomes.push(...found.map((outcome) => ({ ...outcome, id: `${name} ${path.basename(root)} ${outcome.id}` })));
    }
  } finally {
    await engine?.dispose();
  }
  return { row, tokens, budget, outcomes };
}

const cells: MeasuredCell[] = [];
for (const tokens of lengths) {
  const all = await repositoriesOf(tokens);
  const budgets = options.budget?.map(Number) ?? budgetsOf(model, tokens);
  for (const row of rows) {
    if (row.full && tokens > smallest) continue;
    for (const budget of row.full ? budgets.slice(0, 1) : budgets) {
      const cell = await measure(row, tokens, budget, all);
      cells.push(cell);
      const right = cell.outcomes.filter((outcome) => outcome.right).length;
      process.stdout.write(`${tokens}  ${row.full ? '-' : budget}  ${row.name}  ${right} of ${cell.outcomes.length}\n`);
    }
  }
}

const chart = drawChart(chartPanels(cells), 'Share of the gold lines’ cache units that are kept, by budget and policy');
await writeFile('docs/figures/quality.svg', chart);
await publish({
  name: 'quality',
  title: 'What each policy keeps, and what is answered from it',
  text:
    `${options.model} on repositories cut from ${packages.map((folder) => path.basename(folder)).join(', ')}: ` +
    `${repositories} of each length (${4 * repositories} of those that fit the window), at most ${questions} questions of each ` +
    `frozen memory (${perQuestion} where the repository is read anew for each), made by program from the outline. ` +
    '**right**: answers that are right to the last character, greedy decoding, to questions about what is there (a memory ' +
    'that has lost everything is right about what is not there; the tables by kind have that too). **kept**: share of the cache units of the ' +
    'lines that an answer rests on which are still held when it is asked, over all layers and KV heads. **log p**: mean ' +
    'log-probability of the right answer’s tokens, from the memory alone. **against Locret**: paired differences over the ' +
    'same questions with 95 % bootstrap intervals. **pyramid**, **shared**: the same budget on average and the same memory, ' +
    'more of it for lower layers, or shared by score between the KV heads of a layer, as far as the window goes. **labels**, ' +
    `**hidden**: other heads than the bundled ones, trained in the product for this table (${trainingWords}). The model’s window is ` +
    `${window} positions, so larger budgets do not fit, and the full cache only fits ${smallest} tokens.\n\n` +
    '![Share of gold units kept, by budget and policy](quality.svg)',
  tables: [
    ...lengths.map((tokens) => overallTable(cells, tokens)),
    ...lengths.map((tokens) => kindTable(cells, tokens)),
  ],
  versions: [],
});
