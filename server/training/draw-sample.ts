import type { LabelKind } from '../contract/words.js';
import { LocretError } from '../errors.js';
import type { RandomSource } from '../engine/random.js';
import { beginningTokens, promptFrame, type PromptFrame } from '../model/prompt-frame.js';
import type { LoadedModel } from '../model/model.js';
import { plainForm, repositoryTokenForm } from '../repository/text-form.js';
import { factsOf, type Fact } from './facts.js';
import { answerOf, chooseFacts, questionOf } from './questions.js';
import type { Exchange, TrainingSample } from './sample.js';
import { readSource, type SourceText, type TrainingFile } from './training-files.js';

export interface DrawOptions {
  readonly model: LoadedModel;
  readonly files: readonly TrainingFile[];
  /** Tokens of the text, at most. */
  readonly tokens: number;
  readonly questions: number;
  readonly labels: LabelKind;
  /** Whether answers are quoted from the source or given by the model itself. */
  readonly answers: 'source' | 'model';
  readonly random: RandomSource;
}

/** A sample's text is cut from so many pieces, or a few more where some are short. */
const mostPieces = 4;
/** Files that are tried for one sample: some have no text to speak of. */
const mostTries = 200;
/** A piece of a file takes at least this many tokens. */
const leastPiece = 48;
/** Tokens of the text before that show the model where to go on repeating. */
const repeatedEnd = 8;
const longestRepeat = 512;

/** A cut of a file, as the model reads it. */
interface Piece {
  readonly tokens: readonly number[];
  readonly facts: readonly Fact[];
}

/** Lines from a random definition on, as many as fit; undefined when not even a few do. */
function cutPiece(file: TrainingFile, source: SourceText, limit: number, options: DrawOptions): Piece | undefined {
  const { tokenizer } = options.model;
  const { lines, definitions } = source;
  const form = tokenizer.hasRepositoryTokens ? repositoryTokenForm : plainForm;
  const header = tokenizer.encode(form.fileHeader(tokenizer.neutralize(file.file.path)));
  const from = options.random() < 0.3 ? undefined : definitions[Math.floor(options.random() * definitions.length)];
  const first = from?.line ?? 1;
  const room = limit - header.length;
  // A line has a token at least. The lines that fit are found by shrinking; what is far too long is not tokenized for it.
  let last = Math.min(lines.length, first - 1 + room);
  while (last >= first) {
    const text = `${lines
      .slice(first - 1, last)
      .join('\n')
      .trimEnd()}\n`;
    const tokens = text.length > 16 * room ? undefined : tokenizer.encode(tokenizer.neutralize(text));
    if (tokens !== undefined && tokens.length <= room) {
      if (tokens.length < leastPiece / 2) return undefined;
      const facts = factsOf(definitions, lines).filter(({ begin, end }) => begin >= first && end <= last);
      return { tokens: [...header, ...tokens], facts };
    }
    const share = tokens === undefined ? 0.5 : Math.min(0.95, room / tokens.length);
    last = Math.min(last - 1, first - 1 + Math.floor((last - first + 1) * share));
  }
  return undefined;
}

/** Pieces of a repository as the model reads them. */
interface Excerpt {
  readonly memory: readonly number[];
  /** Tokens in front of the repository. */
  readonly begin: number;
  readonly facts: readonly Fact[];
}

/** Pieces of several files of one repository, behind the prompt's beginning. */
async function drawExcerpt(options: DrawOptions, frame: PromptFrame): Promise<Excerpt> {
  const { model, files, tokens: limit, random } = options;
  const { tokenizer } = model;
  const form = tokenizer.hasRepositoryTokens ? repositoryTokenForm : plainForm;
  const beginning = beginningTokens(model, frame.before);
  const first = files[Math.floor(random() * files.length)];
  const siblings = files.filter(({ root }) => root === first?.root);
  const header = tokenizer.encode(form.repositoryHeader(tokenizer.neutralize(first?.repository ?? '')));
  const memory = [...beginning, ...header];
  const facts: Fact[] = [];
  const read = new Set<string>();
  const share = limit / (1 + Math.floor(random() * mostPieces));
  for (let tries = 0; tries < mostTries && limit - memory.length >= leastPiece; tries++) {
    const file = siblings[Math.floor(random() * siblings.length)];
    if (file === undefined || read.size === siblings.length) break;
    if (read.has(file.file.path)) continue;
    read.add(file.file.path);
    const source = await readSource(file);
    const room = Math.min(limit - memory.length, Math.max(leastPiece, Math.floor(share * (0.5 + random()))));
    const piece = source === undefined ? undefined : cutPiece(file, source, room, options);
    if (piece === undefined) continue;
    memory.push(...piece.tokens);
    facts.push(...piece.facts);
  }
  return { memory, begin: beginning.length, facts };
}

/** Questions about some of the facts, with answers that quote the text. */
function questionsAbout({ model, questions, answers, random }: DrawOptions, { facts }: Excerpt, frame: PromptFrame) {
  const { tokenizer } = model;
  return chooseFacts(facts, questions, random).map((fact): Exchange => {
    const content = tokenizer.neutralize(questionOf(fact, random));
    const prompt = tokenizer.encode(frame.after([{ role: 'user', content }]));
    const answer = tokenizer.encode(tokenizer.neutralize(answerOf(fact)));
    return { prompt, answer: answers === 'model' ? undefined : answer };
  });
}

/** The model repeats the text in parts: what KVzip (arXiv 2505.23416) takes for labels. */
function repeats({ model }: DrawOptions, { memory, begin }: Excerpt, frame: PromptFrame): Exchange[] {
  const { tokenizer } = model;
  const text = memory.slice(begin);
  const size = Math.min(longestRepeat, Math.ceil(text.length / 2));
  const exchanges: Exchange[] = [];
  for (let at = 0; at < text.length; at += size) {
    const before = tokenizer.decode(text.slice(Math.max(0, at - repeatedEnd), at), { skipSpecialTokens: true });
    const request =
      at === 0
        ? 'Repeat the previous context exactly.'
        : `Repeat the part of the previous context exactly, starting with \`${tokenizer.neutralize(before)}\`.`;
    const prompt = tokenizer.encode(frame.after([{ role: 'user', content: request }]));
    exchanges.push({ prompt, answer: text.slice(at, at + size) });
  }
  return exchanges;
}

/**
 * Draws a sample: pieces of a repository's files, in the form in which repositories are read, with questions about them or
 * requests to repeat them.
 * @throws LocretError repository-empty when no file gives a text with anything to ask about
 */
export async function drawSample(options: DrawOptions): Promise<TrainingSample> {
  const frame = promptFrame(options.model);
  for (let tries = 0; tries < mostTries; tries++) {
    const excerpt = await drawExcerpt(options, frame);
    const exchangesOf = options.labels === 'reconstruction' ? repeats : questionsAbout;
    const exchanges = exchangesOf(options, excerpt, frame);
    // A text that nothing can be asked about is not worth repeating either.
    if (excerpt.facts.length > 0 && exchanges.length > 0) return { memory: Int32Array.from(excerpt.memory), exchanges };
  }
  throw new LocretError(
    'repository-empty',
    `None of ${options.files.length} source files has a definition to ask about within ${options.tokens} tokens.`,
    'Name repositories with more source text, or give samples more --tokens.',
  );
}
