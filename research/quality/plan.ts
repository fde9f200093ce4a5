/** What of the table is measured at one length. */
export interface LengthPlan {
  /** Tokens of a repository. */
  readonly tokens: number;
  /** How many of them. */
  readonly repositories: number;
  /** Questions about each frozen memory, at most. */
  readonly questions: number;
  /** Where the repository is read anew for each question: how many, at most. */
  readonly perQuestion: number;
  readonly budgets: readonly number[];
  /** Names of the rows; undefined: all. */
  readonly rows: readonly string[] | undefined;
}

export interface PlanLimits {
  /** The longest repository that fits the window with a question and its answer. */
  readonly smallest: number;
  /** The largest budget that fits the window with what is read behind it. */
  readonly largestBudget: number;
}

/** Rows that read fast enough for long repositories. */
const longRows = [
  'random',
  'sink + recent',
  'KeyDiff',
  'Locret',
  'Locret + definitions',
  'Locret + definitions + recall',
];

/**
 * The lengths of the table. Of a repository that fits the window budgets of a twentieth, a sixth and a third are compared
 * with the full cache, under every policy; of longer ones the paper's range of budgets as far as the model's window goes.
 */
export function lengthPlans({ smallest, largestBudget }: PlanLimits, quick: boolean): LengthPlan[] {
  const range = [64, 128, 256, 512, 1024, 2048, 4096].filter((budget) => budget <= largestBudget);
  const largest = range.slice(-1);
  const whole = {
    tokens: smallest,
    repositories: 24,
    questions: 25,
    perQuestion: 25,
    budgets: [20, 6, 3].map((share) => Math.floor(smallest / share)),
    rows: undefined,
  };
  if (quick) {
    return [
      { ...whole, repositories: 6 },
      { tokens: 16_384, repositories: 2, questions: 10, perQuestion: 2, budgets: largest, rows: longRows },
    ];
  }
  return [
    whole,
    { tokens: 16_384, repositories: 8, questions: 25, perQuestion: 4, budgets: largest, rows: undefined },
    { tokens: 65_536, repositories: 5, questions: 40, perQuestion: 0, budgets: largest, rows: longRows },
    { tokens: 262_144, repositories: 3, questions: 70, perQuestion: 0, budgets: largest, rows: longRows },
  ];
}
