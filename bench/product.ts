import { parseArgs } from 'node:util';
import { publish, type Table } from './figure.js';
import { processorFeatures } from './processor.js';
import { type AskedRun, type Loaded, ProductProcess } from './product-runs.js';
import { parseBits } from './shapes.js';
import { median } from './statistics.js';

/** What the project holds itself to on two cores with AVX2, Qwen2.5-Coder-0.5B: seconds at most, or ratios at least. */
const bars = {
  firstWord: new Map([
    [1800, 14],
    [700, 6],
  ]),
  decode: 1.1,
  prefill: { int8: 2, int4: undefined },
  load: 5,
  productDecode: 0.95,
} as const;

const { values: options } = parseArgs({
  options: {
    /** The model as the product opens it. */
    model: { type: 'string' },
    /** The same model for llama.cpp: every matrix in Q8_0 and in Q4_0. */
    int8: { type: 'string' },
    int4: { type: 'string' },
    /** Prompt tokens, about. */
    prompt: { type: 'string', multiple: true, default: ['1800', '700'] },
    answer: { type: 'string', default: '96' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
  },
});
const { model } = options;
const files = { int8: options.int8, int4: options.int4 };
if (model === undefined || (files.int8 === undefined && files.int4 === undefined)) {
  process.stderr.write(
    'Give the model as the product opens it, and as GGUF files for llama.cpp:\n' +
      '  npm run bench:product -- --model FOLDER --int8 FILE-q8_0.gguf --int4 FILE-q4_0.gguf\n',
  );
  process.exit(2);
}
const rounds = Number(options.rounds);
const threads = Number(options.threads);
const answerTokens = Number(options.answer);
/** Tokens of a prompt besides what is re-read: the question and what stands around it. */
const besides = 100;

interface Round {
  readonly product: AskedRun;
  readonly theirs: AskedRun;
  /** The engine without the product around it, behind the same units. */
  readonly engine: AskedRun;
}

const middle = (values: readonly number[]): number => median([...values]);
const seconds = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
const wordRate = ({ answerTokens: count, restSeconds }: AskedRun): number => Math.max(1, count - 1) / restSeconds;

/** `1.23 (1.10–1.31)` of the ratios of single rounds. */
function ratio(ratios: readonly number[]): string {
  return `**${middle(ratios).toFixed(2)}** (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
}

function bar(text: string | undefined): string {
  return text === undefined ? '' : text;
}

/** The rows of one prompt. */
function rowsOf(bits: 'int8' | 'int4', wanted: number, all: readonly Round[]): string[][] {
  const of = (pick: (run: AskedRun) => number, who: keyof Round): number[] => all.map((round) => pick(round[who]));
  const ratios = (pick: (round: Round) => number): string => ratio(all.map(pick));
  const firstWord = (run: AskedRun): number => run.firstWordSeconds;
  const whole = (run: AskedRun): number => run.firstWordSeconds + run.restSeconds;
  const label = `${bits}, ${all[0]?.product.promptTokens ?? 0} tokens`;
  const secondsBar = bars.firstWord.get(wanted);
  const prefillBar = bars.prefill[bits];
  const cpu = (pick: (run: AskedRun) => number): string =>
    middle(all.map(({ product, theirs }) => pick(theirs) / pick(product))).toFixed(2);
  return [
    [
      label,
      'first word, s',
      seconds(middle(of(firstWord, 'product'))),
      seconds(middle(of(firstWord, 'theirs'))),
      ratios(({ product, theirs }) => firstWord(theirs) / firstWord(product)),
      cpu((run) => run.firstWordCpuSeconds),
      [bar(secondsBar === undefined ? undefined : `≤ ${secondsBar} s`), bar(prefillBar && `≥ ${prefillBar}`)]
        .filter((text) => text !== '')
        .join(', '),
    ],
    [
      label,
      'words (tokens) per second',
      middle(of(wordRate, 'product')).toFixed(1),
      middle(of(wordRate, 'theirs')).toFixed(1),
      ratios(({ product, theirs }) => wordRate(product) / wordRate(theirs)),
      cpu(({ cpuSeconds, firstWordCpuSeconds, answerTokens: count }) => (cpuSeconds - firstWordCpuSeconds) / count),
      `≥ ${bars.decode}`,
    ],
    [
      label,
      `whole answer of ${all[0]?.product.answerTokens ?? 0}, s`,
      seconds(middle(of(whole, 'product'))),
      seconds(middle(of(whole, 'theirs'))),
      ratios(({ product, theirs }) => whole(theirs) / whole(product)),
      cpu((run) => run.cpuSeconds),
      '',
    ],
    [
      label,
      'product : its engine alone, words per second',
      middle(of(wordRate, 'product')).toFixed(1),
      middle(of(wordRate, 'engine')).toFixed(1),
      ratios(({ product, engine }) => wordRate(product) / wordRate(engine)),
      middle(
        all.map(
          ({ product, engine }) =>
            (engine.cpuSeconds - engine.firstWordCpuSeconds) /
            engine.answerTokens /
            ((product.cpuSeconds - product.firstWordCpuSeconds) / product.answerTokens),
        ),
      ).toFixed(2),
      `≥ ${bars.productDecode}`,
    ],
    [
      label,
      'of the first word, outside the model, s',
      seconds(middle(all.map(({ product, engine }) => product.firstWordSeconds - engine.firstWordSeconds))),
      '',
      '',
      '',
      '',
    ],
  ];
}

function loadRow(bits: string, ours: Loaded, theirs: Loaded): string[] {
  return [
    bits,
    seconds(ours.loadSeconds),
    seconds(theirs.loadSeconds),
    seconds(ours.firstLoadSeconds ?? NaN),
    seconds(ours.restoreSeconds ?? NaN),
    `≤ ${bars.load} s`,
  ];
}

const answers: string[][] = [];
const loads: string[][] = [];
const versions = new Set<string>([processorFeatures()]);
for (const [name, file] of Object.entries(files)) {
  if (file === undefined) continue;
  const bits = parseBits(name);
  const product = new ProductProcess(new URL('product-locret.js', import.meta.url));
  const theirs = new ProductProcess(new URL('product-llama-cpp.js', import.meta.url));
  try {
    const ours = await product.load({ model, bits, threads, units: 0, vocabulary: 0 });
    const { units, vocabulary } = ours;
    const other = await theirs.load({ model: file, bits, threads, units, vocabulary });
    for (const version of [ours.versions, other.versions]) versions.add(version);
    loads.push(loadRow(bits, ours, other));
    process.stdout.write(`${loads.at(-1)?.join('  ') ?? ''}\n`);
    for (const wanted of options.prompt.map(Number)) {
      const all: Round[] = [];
      for (let round = 0; round <= rounds; round++) {
        const ask = { kind: 'ask', recall: wanted - besides, promptTokens: 0, answerTokens } as const;
        const asked = await product.run(ask);
        const same = { promptTokens: asked.promptTokens, answerTokens: asked.answerTokens };
        const run = {
          product: asked,
          theirs: await theirs.run({ kind: 'ask', recall: 0, ...same }),
          engine: await product.run({ kind: 'decode', ...same }),
        };
        // The first round does not count.
        if (round > 0) all.push(run);
      }
      const rows = rowsOf(bits, wanted, all);
      for (const row of rows) process.stdout.write(`${row.join('  ')}\n`);
      answers.push(...rows);
    }
  } finally {
    product.end();
    theirs.end();
  }
}

const tables: Table[] = [
  {
    columns: ['weights, prompt', 'what', 'product', 'llama.cpp', 'ratio (least–most)', 'CPU time ratio', 'bar'],
    rows: answers,
  },
  {
    columns: [
      'weights',
      'loading, s',
      'llama.cpp, s',
      'the first time: packing, s',
      'memory from its snapshot, s',
      'bar',
    ],
    rows: loads,
  },
];
await publish({
  name: 'product',
  title: 'A question as a person asks it, beside llama.cpp',
  text:
    `A question about six definitions is asked of ${model.split(/[\\/]/).at(-1) ?? ''} through the product: names are looked up, definitions re-read ` +
    `behind the memory, the prompt is read and up to ${answerTokens} tokens are answered, with the model's own sampling ` +
    `and in the engine's worker, ${threads} threads. llama.cpp (node-llama-cpp, flash attention, ${threads} threads) reads as many ` +
    'tokens behind as many units with the same weights in Q8_0 or Q4_0 and answers as many. Both stay loaded in ' +
    `processes of their own and take turns, ${rounds} times: medians, the median of the ratios of single turns (above 1: the ` +
    'product is faster) with the least and the most, and the ratio of processor time (llama.cpp : product), which other ' +
    'programs disturb less. Bars are those for two cores with AVX2 and without AVX-512.',
  tables,
  versions: [...versions],
});
