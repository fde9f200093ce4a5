import path from 'node:path';
import type { LabelKind } from '../../contract/words.js';
import { LocretError } from '../../errors.js';
import { formatCount } from '../../quantities.js';
import { readTrainingRecord, type TrainingRecord } from '../../training/training-record.js';
import { plain, table } from './report-markdown.js';

const labelMeanings: Readonly<Record<LabelKind, string>> = {
  published: 'largest logits of answers',
  contribution: "largest shares of a layer's output in answers",
  reconstruction: 'largest shares while the text is repeated',
};

const measure = (value: number): string => value.toFixed(3);

function settingRows({ model, repositories, trainingFiles, heldOutFiles, tokens, options }: TrainingRecord) {
  const { labels, input, answers, width, steps, warmup, rate, questions, seed, precision } = options;
  return [
    ['model', model, `weights ${precision}`],
    [
      'repositories',
      repositories.join(', '),
      `${formatCount(trainingFiles)} files, and ${formatCount(heldOutFiles)} held out`,
    ],
    ['labels', labels, labelMeanings[labels]],
    ['heads read', input, input === 'qkv' ? 'query, key and value' : 'the hidden state'],
    ['width', formatCount(width), 'between the two layers of a head'],
    ['steps', formatCount(steps), `each on a sample of ${formatCount(tokens)} tokens`],
    ['learning rate', String(rate), `reached after ${formatCount(warmup)} steps`],
    [
      'questions',
      formatCount(questions),
      answers === 'source' ? 'answers quoted from the source' : "the model's own answers",
    ],
    ['seed', String(seed), ''],
  ];
}

function courseRows({ course }: TrainingRecord): string[][] {
  return course.map(({ step, learned, heldOut }) => [
    formatCount(step),
    learned === undefined ? '' : measure(learned.regression),
    learned === undefined ? '' : measure(learned.overlap),
    measure(heldOut.regression),
    measure(heldOut.overlap),
  ]);
}

/**
 * How heads were trained, as a page: settings, how the loss fell, and what they find of samples held out.
 * @param file of the heads, absolute
 * @throws LocretError heads-corrupt when the file is damaged or is not there, invalid-argument when it does not tell
 */
export function trainingReport(file: string): string {
  const record = path.isAbsolute(file) ? readTrainingRecord(file) : undefined;
  const [before, after] = [record?.course[0], record?.course.at(-1)];
  if (record === undefined || before === undefined || after === undefined) {
    throw new LocretError(
      'invalid-argument',
      `${file} does not tell how its heads were trained.`,
      'Name heads that Locret trained.',
    );
  }
  return [
    `# Retaining heads for ${plain(record.model)}`,
    `On samples held out they find **${measure(after.heldOut.overlap)}** of the tenth of the cache units that matter most; ` +
      `before training it was ${measure(before.heldOut.overlap)}. Chance is 0.100. This says how well heads foresee what ` +
      'answers look at, not how good answers are.',
    plain(file),
    '## Settings',
    table(['', '', ''], settingRows(record)),
    '## Course',
    'SmoothL1 is the distance to the labels. The first two are means over the steps since the line before.',
    table(['step', 'SmoothL1', 'overlap', 'SmoothL1, held out', 'overlap, held out'], courseRows(record)),
  ].join('\n\n');
}
