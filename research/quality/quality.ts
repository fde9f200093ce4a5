import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Engine } from '../../server/engine/engine.js';
import { loadEngine } from '../../server/memory/load-engine.js';
import { planModel, type PlannedModel } from '../../server/memory/planning/planned-model.js';
import { type LoadedModel, openModel } from '../../server/model/model.js';
import { createProcessorEngine } from '../../server/backends/processor/engine.js';
import { policyByName, registerPolicies } from '../../server/eviction/policy-by-name.js';
import { packedWeightsFolder } from '../../server/memory/keeping/cache-files.js';
import { openModelSource } from '../../server/model/open-model-source.js';
import { openRetainingHeads } from '../../server/model/retaining-heads.js';
import { surveyRepository } from '../../server/repository/survey.js';
import { publish } from '../../bench/figure.js';
import { registerRivals } from '../policies/register.js';
import { foreseeingRivals } from '../policies/rivals.js';
import { evictionPolicy } from '../policies/score-units.js';
import { type Foresight, type Outcome, runCell } from './cell.js';
import { drawChart } from './chart.js';
import { headsOf, trainingWords } from './heads.js';
import { type LengthPlan, lengthPlans } from './plan.js';
import { type BenchRepository, cutRepository } from './repositories.js';
import { keepOutcomes, knownOutcomes } from './results.js';
import { type QualityRow, qualityRows } from './rows.js';
import { chartPanels, kindTable, type MeasuredCell, overallTable } from './tables.js';
import { Structure } from './structure-policy.js';

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
const seed = Number(options.seed);
const cache = '.cache/bench/quality';
const product = '.cache/bench/product';
/** Units behind a full cache for a question and its answer. */
const behindFull = 192;
const survey = { maxFileBytes: 1 << 20, include: [], exclude: [] };

const foresight: Foresight = { patches: [] };
registerRivals();
// Only this program knows questions beforehand.
registerPolicies(foreseeingRivals.map((rival) => evictionPolicy(rival, () => foresight.patches)));

const packages = positionals.length > 0 ? positionals : heldOut;
const model = await openModel(options.model);
const weights = weightsOf(model);
const window = model.locret.window ?? model.shape.maxPositions;
const plans = plansOf(model);

/** Identity of the backbone's weights. */
function weightsOf({ place }: LoadedModel): string {
  const checkpoint = openModelSource(place).openWeights();
  try {
    return checkpoint.fingerprint;
  } finally {
    checkpoint.close();
  }
}

/** What is measured: the table's own plan, as far as the command line does not say otherwise. */
function plansOf({ locret, shape }: LoadedModel): LengthPlan[] {
  const positions = locret.window ?? shape.maxPositions;
  const room = Math.max(locret.chunk ?? 0, behindFull) + (locret.local ?? 0);
  const limits = { smallest: positions - 2 * behindFull, largestBudget: positions - room };
  const known = lengthPlans(limits, options.quick);
  const wanted = options.tokens?.map(Number) ?? known.map(({ tokens }) => tokens);
  const [shortest, second] = known;
  return wanted.flatMap((tokens): LengthPlan[] => {
    const usual = known.find((plan) => plan.tokens === tokens) ?? (tokens <= limits.smallest ? shortest : second);
    if (usual === undefined) return [];
    return [
      {
        tokens,
        repositories: Number(options.repositories ?? usual.repositories),
        questions: Number(options.questions ?? usual.questions),
        perQuestion: Number(options['per-question'] ?? usual.perQuestion),
        budgets: options.budget?.map(Number) ?? usual.budgets,
        rows: options.row ?? usual.rows,
      },
    ];
  });
}

/** Repositories of a length, of each package in turn. */
async function repositoriesOf({ tokens, repositories }: LengthPlan): Promise<BenchRepository[]> {
  const cut: BenchRepository[] = [];
  for (let i = 0; i < repositories; i++) {
    const first = i % packages.length;
    const inTurn = [...packages.slice(first), ...packages.slice(0, first)];
    const variant = Math.floor(i / packages.length);
    cut.push(
      await cutRepository(path.join(cache, 'repositories'), inTurn, tokens, { tokenizer: model.tokenizer, variant }),
    );
  }
  return cut;
}

/** Whether the product itself keeps what the row wants kept before all else. */
function keepsStructure({ policy, structure }: QualityRow): boolean {
  return structure === 'none' || policyByName(policy).needsRetainingHeads;
}

async function planRow(repo: string, row: QualityRow, budget: number): Promise<PlannedModel> {
  const threads = Number(options.threads);
  const settings = { repo, model: options.model, threads };
  if (!row.full) {
    const heads =
      row.heads &&
      (await headsOf(row.heads, { model: options.model, weights, folder: path.resolve(cache, 'heads'), threads }));
    return planModel({
      ...settings,
      policy: row.policy,
      allocation: row.allocation,
      structure: keepsStructure(row) ? row.structure : 'none',
      budget,
      ...(heads === undefined ? {} : { heads }),
    });
  }
  const planned = await planModel({ ...settings, policy: row.policy });
  const { plan } = planned;
  return { ...planned, plan: { ...plan, cache: { ...plan.cache, budget: Infinity, capacity: window } } };
}

function foresees({ policy }: QualityRow): boolean {
  return foreseeingRivals.some(({ name }) => name === policy);
}

/** The product's engine; on this thread where its policy is told what only this program knows. */
async function loadRow(row: QualityRow, planned: PlannedModel, structure: Structure | undefined): Promise<Engine> {
  if (structure === undefined && !foresees(row))
    return loadEngine(planned, product, (notice) => process.stderr.write(`${notice}\n`));
  const { heads, policy: name, precision, threads, cache: plan } = planned.plan;
  const policy = policyByName(name);
  return createProcessorEngine(
    {
      model: planned.model.place,
      policy: name,
      precision,
      plan,
      threads,
      cacheFolder: packedWeightsFolder(product, planned.model.place),
      ...(heads === undefined ? {} : { heads }),
    },
    structure?.before(policy) ?? policy,
  );
}

/** What one row has to say about all repositories of a length. */
async function measure(
  row: QualityRow,
  { tokens, questions, perQuestion }: LengthPlan,
  budget: number,
  all: readonly BenchRepository[],
): Promise<MeasuredCell> {
  const outcomes: Outcome[] = [];
  const structure = keepsStructure(row) ? undefined : new Structure();
  let engine: Engine | undefined;
  try {
    for (const { name, root } of all) {
      const count = row.perQuestion ? Math.min(perQuestion, questions) : questions;
      const planned = await planRow(root, row, budget);
      const { cache: sizes, structure: own, heads: file } = planned.plan;
      const heads = file === undefined ? undefined : openRetainingHeads(file, model.shape).fingerprint;
      const kept = own === 'none' ? {} : { structure: own };
      const cell = { weights, heads, root, row: row.name, plan: sizes, ...kept, questions: count, seed };
      let found = await knownOutcomes(cache, cell);
      if (found === undefined) {
        engine ??= await loadRow(row, planned, structure);
        const files = await surveyRepository(root, survey);
        const told = { structure, foresight: foresees(row) ? foresight : undefined };
        const asking = { mode: row.mode, questions: count, seed };
        found = await runCell({ engine, planned, survey: files, options: survey, ...told, ...asking });
        await keepOutcomes(cache, cell, found);
      }
      outcomes.push(...found.map((outcome) => ({ ...outcome, id: `${name} ${path.basename(root)} ${outcome.id}` })));
    }
  } finally {
    await engine?.dispose();
  }
  return { row, tokens, budget, outcomes };
}

/** `8 of 16,384 tokens with at most 25 questions each (4 where the repository is read anew for each)` */
function sizeWords({ tokens, repositories, questions, perQuestion }: LengthPlan): string {
  const anew = perQuestion > 0 ? ` (${perQuestion} where the repository is read anew for each)` : '';
  return `${repositories} of ${tokens.toLocaleString('en-US')} tokens with at most ${questions} questions about each memory${anew}`;
}

const cells: MeasuredCell[] = [];
for (const plan of plans) {
  const { tokens, budgets } = plan;
  const all = await repositoriesOf(plan);
  const rows = qualityRows.filter(({ name }) => plan.rows === undefined || plan.rows.includes(name));
  for (const row of rows) {
    if ((row.full && tokens > window - 2 * behindFull) || (row.perQuestion && plan.perQuestion === 0)) continue;
    for (const budget of row.full ? budgets.slice(0, 1) : budgets) {
      const cell = await measure(row, plan, budget, all);
      cells.push(cell);
      const right = cell.outcomes.filter((outcome) => outcome.right).length;
      process.stdout.write(`${tokens}  ${row.full ? '-' : budget}  ${row.name}  ${right} of ${cell.outcomes.length}\n`);
    }
  }
}

const chart = drawChart(chartPanels(cells), 'Right answers and gold units kept, by budget and policy');
await writeFile('docs/figures/quality.svg', chart);
await publish({
  name: 'quality',
  title: 'What each policy keeps, and what is answered from it',
  text:
    `${options.model} on repositories cut from ${packages.map((folder) => path.basename(folder)).join(', ')}: ` +
    `${plans.map(sizeWords).join('; ')}. Questions are made by program from the outline. ` +
    '**right**: answers that are right to the last character, greedy decoding, to questions about what is there (a memory ' +
    'that has lost everything is right about what is not there; the tables by kind have that too). **kept**: share of the cache units of the ' +
    'lines that an answer rests on which are still held when it is asked, over all layers and KV heads. **log p**: mean ' +
    'log-probability of the right answer’s tokens, from the memory alone. **against**: paired differences over the ' +
    'same questions with 95 % bootstrap intervals. **pyramid**: the same budget on average and the same memory, ' +
    'more of it for lower layers, as far as the window goes. **file ' +
    'headers**: the paths of files stay before all else; **definitions**: these and the lines that name definitions, which is how the ' +
    'bundled model is set; **Locret** alone: nothing does, as published. **labels**, ' +
    `**hidden**: other heads than the bundled ones, trained in the product for this table (${trainingWords}). The model’s window is ` +
    `${window} positions, so larger budgets do not fit, and the full cache only fits ${window - 2 * behindFull} tokens.\n\n` +
    '![Right answers and gold units kept, by budget and policy](quality.svg)',
  tables: [
    ...plans.map(({ tokens }) => overallTable(cells, tokens)),
    ...plans.map(({ tokens }) => kindTable(cells, tokens)),
  ],
  versions: [],
});
