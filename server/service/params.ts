import { JsonReader, showJson } from '../contract/json.js';
import { flag, text } from '../contract/kinds.js';
import type {
  AskParams,
  DefinitionAtParams,
  LineRetentionParams,
  PlanParams,
  ReadParams,
  RootParams,
  Selection,
  StopReadingParams,
  Turn,
} from '../contract/protocol.js';
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

/** Of what is asked without parameters. */
export function noParams(): Record<string, never> {
  return {};
}

/** @throws LocretError invalid-argument */
export function rootParams(params: unknown): RootParams {
  return { root: paramsOf(params).text('root') };
}

/** @throws LocretError invalid-argument */
export function readParams(params: unknown): ReadParams {
  return { ...rootParams(params), fresh: paramsOf(params).find('fresh', flag) };
}

/** @throws LocretError invalid-argument */
export function stopReadingParams(params: unknown): StopReadingParams {
  return { ...rootParams(params), keep: paramsOf(params).find('keep', flag) ?? false };
}

/** @throws LocretError invalid-argument */
export function planParams(params: unknown): PlanParams {
  return { ...rootParams(params), model: paramsOf(params).find('model', text) };
}

/** @throws LocretError invalid-argument */
export function lineRetentionParams(params: unknown): LineRetentionParams {
  return { ...rootParams(params), path: paramsOf(params).text('path') };
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
