import { isJsonObject, JsonReader, showJson } from '../contract/json.js';
import type { AskParams, DefinitionAtParams, Selection, Turn } from '../contract/protocol.js';
import { answerModes } from '../contract/words.js';
import { LocretError } from '../errors.js';

/**
 * Reads parameters as they came over the wire; what is not as it should be throws LocretError invalid-argument, naming the
 * parameter, its value and what was expected.
 * @param remedy what the user can do then
 */
export function paramsOf(params: unknown, remedy = "Use a client of this sidecar's version."): JsonReader {
  return new JsonReader(params, (name, value, { expected }) => {
    const message = `The parameter ${name === '' ? 'params' : name} is ${showJson(value)}; expected ${expected}.`;
    return new LocretError('invalid-argument', message, remedy);
  });
}

function turnOf(reader: JsonReader): Turn {
  return { question: reader.text('question'), answer: reader.text('answer') };
}

function selectionOf(reader: JsonReader): Selection {
  return {
    path: reader.text('path'),
    line: reader.line('line'),
    endLine: reader.line('endLine'),
    text: reader.text('text'),
  };
}

/** @throws LocretError invalid-argument, naming the parameter, its value and what was expected */
export function askParams(params: unknown): AskParams {
  const reader = paramsOf(params);
  return {
    root: reader.text('root'),
    question: reader.text('question'),
    history: reader.has('history') ? reader.list('history', turnOf) : [],
    mode: reader.has('mode') ? reader.word('mode', answerModes) : 'memory',
    selection: reader.findObject('selection', selectionOf),
  };
}

/** @throws LocretError invalid-argument */
export function definitionAtParams(params: unknown): DefinitionAtParams {
  const reader = paramsOf(params);
  return { uri: reader.text('uri'), line: reader.line('line') };
}

/** Where a client wants progress or partial results; undefined where it wants none. */
export function progressToken(
  params: unknown,
  name: 'workDoneToken' | 'partialResultToken',
): string | number | undefined {
  const value = isJsonObject(params) ? params[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}
