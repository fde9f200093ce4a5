import { seededRandom } from '../../server/engine/random.js';
import type { Table } from '../../bench/figure.js';
import type { Outcome } from './cell.js';
import type { ChartPanel } from './chart.js';
import { type QualityRow, referenceRow } from './rows.js';
import { bootstrap, mean } from '../../bench/statistics.js';

/** All outcomes of one row at one length and budget. */
export interface MeasuredCell {
  readonly row: QualityRow;
  readonly tokens: number;
  /** Of a row that is full: of no meaning. */
  readonly budget: number;
  readonly outcomes: readonly Outcome[];
}

const percent = (share: number): string => (Number.isNaN(share) ? '–' : (share * 100).toFixed(1));
const lengthName = (tokens: number): string =>
  tokens % 1024 === 0 && tokens >= 8192 ? `${tokens / 1024} K` : String(tokens);

function survivals(outcomes: readonly Outcome[]): number[] {
  return outcomes.flatMap(({ survival }) => survival ?? []);
}

/** Whether an answer is right; undefined where the right answer is that nothing is there: forgetting makes it right. */
function isFound({ right, survival }: Outcome): number | undefined {
  return survival === undefined ? undefined : Number(right);
}

/** Differences of one number over the questions that both have, with their interval; a dash where there are none. */
function difference(
  outcomes: readonly Outcome[],
  reference: readonly Outcome[],
  of: (outcome: Outcome) => number | undefined,
): string {
  const others = new Map(reference.map((outcome) => [outcome.id, of(outcome)]));
  const differences = outcomes.flatMap((outcome) => {
    const ours = of(outcome);
    const theirs = others.get(outcome.id);
    return ours === undefined || theirs === undefined ? [] : ours - theirs;
  });
  if (differences.length === 0) return '–';
  const { mean: middle, low, high } = bootstrap(differences, seededRandom(1));
  const signed = (share: number): string => `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)}`;
  return `${signed(middle)} [${signed(low)}, ${signed(high)}]`;
}

/** Everything that was measured at one length; differences are in points. */
export function overallTable(cells: readonly MeasuredCell[], tokens: number): Table {
  const here = cells.filter((cell) => cell.tokens === tokens);
  const full = here.find(({ row }) => row.full);
  return {
    columns: [
      `${lengthName(tokens)} tokens`,
      'budget',
      'n',
      'right, %',
      'kept, %',
      'log p',
      `right against ${referenceRow}`,
      `kept against ${referenceRow}`,
      ...(full === undefined ? [] : ['right against the full cache']),
    ],
    rows: here.map(({ row, budget, outcomes }) => {
      const reference = here.find((cell) => cell.row.name === referenceRow && cell.budget === budget);
      const isReference = row.name === referenceRow;
      const against = (of: (outcome: Outcome) => number | undefined): string =>
        isReference || row.full ? '–' : difference(outcomes, reference?.outcomes ?? [], of);
      const againstFull = row.full ? '–' : difference(outcomes, full?.outcomes ?? [], isFound);
      return [
        isReference ? `**${row.name}**` : row.name,
        row.full ? 'all' : String(budget),
        String(survivals(outcomes).length),
        percent(mean(outcomes.flatMap((outcome) => isFound(outcome) ?? []))),
        percent(mean(survivals(outcomes))),
        mean(outcomes.map(({ logProbability }) => logProbability)).toFixed(2),
        against(isFound),
        against(({ survival }) => survival),
        ...(full === undefined ? [] : [againstFull]),
      ];
    }),
  };
}

/** Right answers by kind at one length. */
export function kindTable(cells: readonly MeasuredCell[], tokens: number): Table {
  const here = cells.filter((cell) => cell.tokens === tokens);
  const kinds = [...new Set(here.flatMap(({ outcomes }) => outcomes.map(({ kind }) => kind)))].sort();
  return {
    columns: [`${lengthName(tokens)} tokens: right, % (n)`, 'budget', ...kinds],
    rows: here.map(({ row, budget, outcomes }) => [
      row.name,
      row.full ? 'all' : String(budget),
      ...kinds.map((kind) => {
        const asked = outcomes.filter((outcome) => outcome.kind === kind);
        return `${percent(mean(asked.map(({ right }) => Number(right))))} (${asked.length})`;
      }),
    ]),
  };
}

/**
 * Right answers and kept gold lines by budget, where there are several: a line per policy that answers from a frozen
 * memory with the model's own heads and equal budgets.
 */
export function chartPanels(cells: readonly MeasuredCell[]): ChartPanel[] {
  return [...new Set(cells.map(({ tokens }) => tokens))].flatMap((tokens) => {
    const here = cells.filter(({ tokens: of, row }) => of === tokens && row.mode === 'memory');
    const drawn = here.filter(({ row }) => !row.full && row.heads === undefined && row.allocation === 'even');
    const budgets = [...new Set(drawn.map(({ budget }) => budget))];
    if (budgets.length < 2) return [];
    const full = here.find(({ row }) => row.full);
    const panel = (title: string, of: (outcome: Outcome) => number | undefined, level?: ChartPanel['level']) => ({
      title: `${lengthName(tokens)} tokens: ${title}, by budget`,
      ticks: budgets.map(String),
      ...(level === undefined ? {} : { level }),
      lines: [...new Set(drawn.map(({ row }) => row.name))].map((name) => ({
        name,
        isOurs: name === referenceRow,
        values: budgets.map((budget) => {
          const cell = drawn.find(({ row, budget: at }) => row.name === name && at === budget);
          return cell === undefined ? undefined : mean(cell.outcomes.flatMap((outcome) => of(outcome) ?? []));
        }),
      })),
    });
    const all = full && {
      name: full.row.name,
      value: mean(full.outcomes.flatMap((outcome) => isFound(outcome) ?? [])),
    };
    return [panel('right answers', isFound, all), panel('gold units kept', ({ survival }) => survival)];
  });
}
