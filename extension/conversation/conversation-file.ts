import { recallReasons } from '../../server/contract/words.js';
import type { Citation, RecalledBlock } from '../../server/contract/protocol.js';
import { type AnswerFacts, type Conversation, type Root, type RootAnswer, type Turn } from './conversation.js';
import { ObjectReader, readObject, UnexpectedShape } from './object-reader.js';

/** Format of the files; a number that is higher than this belongs to a newer version of Locret. */
const fileVersion = 1;
/** Turns of one conversation that are read. */
const mostTurns = 10_000;

/** Thrown for a file whose format is newer than {@link fileVersion}. */
export class NewerFile extends Error {
  override readonly name = 'NewerFile';
}

/** The text of a conversation's file: JSON with the format's version. */
export function conversationToJson(conversation: Conversation): string {
  return JSON.stringify({ version: fileVersion, ...conversation });
}

function readRoot(reader: ObjectReader): Root {
  return { uri: reader.text('uri'), name: reader.text('name') };
}

/** A name, where there is one. */
function readName(reader: ObjectReader): { readonly name?: string } {
  return reader.has('name') ? { name: reader.text('name') } : {};
}

function readCitation(reader: ObjectReader): Citation {
  return {
    path: reader.text('path'),
    line: reader.line('line'),
    endLine: reader.line('endLine'),
    ...readName(reader),
    from: reader.word('from', ['recall', 'answer', 'memory']),
  };
}

function readRecalled(reader: ObjectReader): RecalledBlock {
  return {
    path: reader.text('path'),
    line: reader.line('line'),
    endLine: reader.line('endLine'),
    ...readName(reader),
    reason: reader.word('reason', recallReasons),
    tokens: reader.amount('tokens'),
    cut: reader.amount('cut'),
  };
}

function readFacts(reader: ObjectReader): AnswerFacts {
  const coverage = reader.object('coverage');
  const timings = reader.object('timings');
  const memory = reader.object('memory');
  return {
    citations: reader.list('citations', readObject(readCitation)),
    coverage: {
      filesRead: coverage.amount('filesRead'),
      tokensRead: coverage.amount('tokensRead'),
      skipped: coverage.amount('skipped'),
      changed: coverage.amount('changed'),
    },
    recalled: reader.list('recalled', readObject(readRecalled)),
    timings: {
      recallSeconds: timings.amount('recallSeconds'),
      firstTokenSeconds: timings.amount('firstTokenSeconds'),
      totalSeconds: timings.amount('totalSeconds'),
      promptTokens: timings.amount('promptTokens'),
      answerTokens: timings.amount('answerTokens'),
      tokensPerSecond: timings.amount('tokensPerSecond'),
    },
    memory: {
      model: memory.text('model'),
      source: memory.word('source', ['read', 'snapshot', 'update']),
      seconds: memory.amount('seconds'),
      tokensRead: memory.amount('tokensRead'),
      units: memory.amount('units'),
      cacheBytes: memory.amount('cacheBytes'),
      weightBytes: memory.amount('weightBytes'),
      policy: memory.text('policy'),
      precision: memory.text('precision'),
    },
    notices: reader.list('notices', (notice, where) => {
      if (typeof notice !== 'string') throw new UnexpectedShape(`${where}: expected a text`);
      return notice;
    }),
  };
}

/** An answer that was running when its file was written was interrupted. */
function readAnswer(reader: ObjectReader): RootAnswer {
  const common = { root: readRoot(reader.object('root')), text: reader.text('text') };
  const state = reader.word('state', ['running', 'answered', 'stopped', 'failed']);
  switch (state) {
    case 'running':
      return { ...common, state: 'stopped', by: 'interrupted' };
    case 'answered':
      return { ...common, state, ...(reader.has('facts') ? { facts: readFacts(reader.object('facts')) } : {}) };
    case 'stopped':
      return { ...common, state, by: reader.word('by', ['user', 'interrupted']) };
    case 'failed':
      return {
        ...common,
        state,
        code: reader.text('code'),
        message: reader.text('message'),
        remedy: reader.text('remedy'),
      };
  }
}

function readTurn(reader: ObjectReader): Turn {
  return {
    id: reader.text('id'),
    question: reader.text('question'),
    mode: reader.word('mode', ['memory', 'deep']),
    asked: reader.amount('asked'),
    answers: reader.list('answers', readObject(readAnswer)),
  };
}

/**
 * The conversation of a file's text.
 * @throws NewerFile, UnexpectedShape, SyntaxError
 */
export function conversationFromJson(text: string): Conversation {
  const value: unknown = JSON.parse(text);
  const reader = new ObjectReader(value, 'conversation');
  const version = reader.amount('version');
  if (version > fileVersion) throw new NewerFile(`Format ${version}; this version of Locret reads ${fileVersion}.`);
  return {
    id: reader.text('id'),
    ...readName(reader),
    created: reader.amount('created'),
    changed: reader.amount('changed'),
    turns: reader.list('turns', readObject(readTurn), mostTurns),
  };
}
