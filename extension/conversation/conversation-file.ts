import type { JsonReader } from '../../server/contract/json.js';
import { text, texts } from '../../server/contract/kinds.js';
import type { Citation, RecalledBlock } from '../../server/contract/protocol.js';
import { answerModes, citationSources, memorySources, recallReasons } from '../../server/contract/words.js';
import type { AnswerFacts, Conversation, Root, RootAnswer, Turn } from './conversation.js';
import { ObjectReader } from './object-reader.js';

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

function readRoot(reader: JsonReader): Root {
  return { uri: reader.text('uri'), name: reader.text('name') };
}

function readCitation(reader: JsonReader): Citation {
  return {
    path: reader.text('path'),
    line: reader.line('line'),
    endLine: reader.line('endLine'),
    name: reader.find('name', text),
    from: reader.word('from', citationSources),
  };
}

function readRecalled(reader: JsonReader): RecalledBlock {
  return {
    path: reader.text('path'),
    line: reader.line('line'),
    endLine: reader.line('endLine'),
    name: reader.find('name', text),
    reason: reader.word('reason', recallReasons),
    tokens: reader.amount('tokens'),
    cut: reader.amount('cut'),
  };
}

function readFacts(reader: JsonReader): AnswerFacts {
  const coverage = reader.object('coverage');
  const timings = reader.object('timings');
  const memory = reader.object('memory');
  return {
    citations: reader.list('citations', readCitation),
    coverage: {
      filesRead: coverage.amount('filesRead'),
      tokensRead: coverage.amount('tokensRead'),
      skipped: coverage.amount('skipped'),
      changed: coverage.amount('changed'),
    },
    recalled: reader.list('recalled', readRecalled),
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
      source: memory.word('source', memorySources),
      seconds: memory.amount('seconds'),
      tokensRead: memory.amount('tokensRead'),
      units: memory.amount('units'),
      cacheBytes: memory.amount('cacheBytes'),
      weightBytes: memory.amount('weightBytes'),
      policy: memory.text('policy'),
      precision: memory.text('precision'),
    },
    notices: reader.get('notices', texts),
  };
}

/** An answer that was running when its file was written was interrupted. */
function readAnswer(reader: JsonReader): RootAnswer {
  const common = { root: readRoot(reader.object('root')), text: reader.text('text') };
  const state = reader.word('state', ['running', 'answered', 'stopped', 'failed']);
  switch (state) {
    case 'running':
      return { ...common, state: 'stopped', by: 'interrupted' };
    case 'answered':
      return { ...common, state, facts: reader.findObject('facts', readFacts) };
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

function readTurn(reader: JsonReader): Turn {
  return {
    id: reader.text('id'),
    question: reader.text('question'),
    mode: reader.word('mode', answerModes),
    asked: reader.amount('asked'),
    answers: reader.list('answers', readAnswer),
  };
}

/**
 * The conversation of a file's text.
 * @throws NewerFile, UnexpectedShape, SyntaxError
 */
export function conversationFromJson(json: string): Conversation {
  const value: unknown = JSON.parse(json);
  const reader = new ObjectReader(value, 'conversation');
  const version = reader.amount('version');
  if (version > fileVersion) throw new NewerFile(`Format ${version}; this version of Locret reads ${fileVersion}.`);
  return {
    id: reader.text('id'),
    name: reader.find('name', text),
    created: reader.amount('created'),
    changed: reader.amount('changed'),
    turns: reader.list('turns', readTurn, mostTurns),
  };
}
