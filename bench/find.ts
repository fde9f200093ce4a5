import { readdirSync, readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { RepositorySearch } from '../server/search/repository-search.js';
import { publish } from './figure.js';
import { PlainBm25 } from './plain-bm25.js';
import { median } from './statistics.js';

const { values: options } = parseArgs({
  options: {
    /** Holds the repositories that questions are asked about, each in a folder of its name. */
    repos: { type: 'string' },
    /** Prints every question whose first link is wrong. */
    wrong: { type: 'boolean', default: false },
  },
});

const survey = { maxFileBytes: 1 << 20, include: [], exclude: [] };
const ranks = [1, 3, 8] as const;
const questionFolders = ['swe-qa', 'own-questions'] as const;

interface Question {
  readonly question: string;
  readonly files: readonly string[];
}

interface Name {
  readonly kind: string;
  readonly query: string;
  readonly path: string;
  readonly line: number;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isQuestion(value: unknown): value is Question {
  return isObject(value) && typeof value['question'] === 'string' && Array.isArray(value['files']);
}

function isName(value: unknown): value is Name {
  return (
    isObject(value) &&
    typeof value['kind'] === 'string' &&
    typeof value['query'] === 'string' &&
    typeof value['path'] === 'string' &&
    typeof value['line'] === 'number'
  );
}

function readRows<Row>(file: string, isRow: (value: unknown) => value is Row): Row[] {
  const rows: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(rows) || !rows.every(isRow)) throw new Error(`${file} is not a list of what was expected`);
  return rows;
}

/** How many questions had a file that answers them among their first 1, 3, 8 links, in per cent. */
function shares(questions: readonly Question[], linksOf: readonly (readonly string[])[]): string[] {
  return ranks.map((rank) => {
    const hits = questions.filter(({ files }, i) => linksOf[i]?.slice(0, rank).some((link) => files.includes(link)));
    return String(Math.round((100 * hits.length) / questions.length));
  });
}

async function askAll(root: string, name: string, questions: readonly Question[]): Promise<string[]> {
  const plain = new PlainBm25();
  const search = await RepositorySearch.open(root, survey);
  for (const file of search.survey.files) {
    await plain.add(file, readFileSync(path.join(search.survey.root, file.path), 'utf8'));
  }
  const found: string[][] = [];
  const milliseconds: number[] = [];
  for (const { question, files } of questions) {
    const start = performance.now();
    const places = await search.find(question, { limit: 8 });
    milliseconds.push(performance.now() - start);
    found.push(places.map((place) => place.path));
    if (options.wrong && !files.includes(places[0]?.path ?? '')) {
      process.stdout.write(`  ${question}\n    ${files.join(' ')}\n    ${places.map((each) => each.path).join(' ')}\n`);
    }
  }
  const plainFound = questions.map(({ question }) => plain.find(question, 8));
  const row = [name, String(questions.length), ...shares(questions, plainFound), ...shares(questions, found)];
  process.stdout.write(`${row.join('  ')}\n`);
  return [...row, median(milliseconds).toFixed(0)];
}

async function askQuestions(repos: string): Promise<string[][]> {
  const rows: string[][] = [];
  for (const folder of questionFolders) {
    for (const file of readdirSync(`bench/${folder}`).filter((name) => name.endsWith('.json'))) {
      const name = path.basename(file, '.json');
      const root = path.join(repos, name);
      if (!existsSync(root)) continue;
      rows.push(await askAll(root, name, readRows(`bench/${folder}/${file}`, isQuestion)));
    }
  }
  return rows;
}

async function askNames(): Promise<string[][]> {
  const search = await RepositorySearch.open('test/fixtures/polyglot', survey);
  const byKind = new Map<string, { first: number; asked: number }>();
  for (const { kind, query, path: wanted, line } of readRows('test/fixtures/polyglot.names.json', isName)) {
    const count = byKind.get(kind) ?? { first: 0, asked: 0 };
    byKind.set(kind, count);
    for (const text of [query, `Where is ${query} defined?`]) {
      const [place] = await search.find(text, { limit: 1 });
      count.asked += 1;
      const isThere = wanted.endsWith('/') ? place?.path.startsWith(wanted) === true : place?.path === wanted;
      if (isThere && (wanted.endsWith('/') || place?.line === line)) count.first += 1;
    }
  }
  return [...byKind].map(([kind, { first, asked }]) => [kind, String(first), String(asked)]);
}

/** This repository: seconds until it can be searched, milliseconds of a question then. */
async function timeHere(): Promise<string[]> {
  const start = performance.now();
  const search = await RepositorySearch.open('.', survey);
  await search.find('where are cache units evicted');
  const first = performance.now() - start;
  const warm: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    const begin = performance.now();
    await search.find(i % 2 === 0 ? 'how is an interrupted reading resumed' : 'retainTopUnits');
    warm.push(performance.now() - begin);
  }
  const megabytes = (search.survey.bytes / 1e6).toFixed(1);
  return [String(search.survey.files.length), megabytes, (first / 1000).toFixed(2), median(warm).toFixed(0)];
}

const speed = await timeHere();
const names = await askNames();
const questions = options.repos === undefined ? [] : await askQuestions(options.repos);
const links = ranks.map((rank) => `first ${rank}`);
await publish({
  name: 'find',
  title: 'Places found without a model',
  text:
    'Questions of SWE-QA-Bench about flask, requests and pytest, and our own about seven other repositories: per cent of ' +
    'questions with a file that answers them among the first 1, 3 and 8 links, of plain BM25 over definitions and of the ' +
    'search. Plain BM25 gives each file once; the links of the search are places, which may stand in the same file. Then ' +
    'names of every kind in a small repository of many languages, asked bare and as “Where is … defined?”: how often the ' +
    'first link is the very line. Times are of this machine, with whatever else it did.',
  tables: [
    ...(questions.length === 0
      ? []
      : [
          {
            columns: [
              'repository',
              'questions',
              ...links.map((link) => `BM25, ${link}`),
              ...links.map((link) => `search, ${link}`),
              'ms a question',
            ],
            rows: questions,
          },
        ]),
    { columns: ['kind of name', 'first link right', 'asked'], rows: names },
    { columns: ['files of this repository', 'MB', 's to the first answer', 'ms to further ones'], rows: [speed] },
  ],
  versions: [],
});
