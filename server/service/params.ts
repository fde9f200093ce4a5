import type { Turn } from '../contract/answers.js';
import { LocretError } from '../errors.js';
import { isJsonObject, showJson } from '../model/json-fields.js';
import type {
  AskParams,
  DefinitionAtParams,
  LineRetentionParams,
  PlanParams,
  ReadParams,
  RootParams,
  Selection,
  StopReadingParams,
} from '../contract/protocol.js';

/** Parameters as they came over the wire. */
type Fields = Readonly<Record<string, unknown>>;

function refuse(name: string, value: unknown, expected: string): LocretError {
  return new LocretError(
    'invalid-argument',
    `The parameter ${name} is ${showJson(value)}; expected ${expected}.`,
    "Use a client of this sidecar's version.",
  );
}

export function fieldsOf(params: unknown): Fields {
  if (isJsonObject(params)) return params;
  throw refuse('params', params, 'an object');
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw refuse(name, value, 'a text');
}

export function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw refuse(name, value, 'true or false');
}

function lineNumber(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw refuse(name, value, 'a line number from 1');
}

function turns(value: unknown): readonly Turn[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw refuse('history', value, 'a list of turns');
  const items: readonly unknown[] = value;
  return items.map((item) => {
    const fields = fieldsOf(item);
    return { question: text(fields, 'question'), answer: text(fields, 'answer') };
  });
}

function selection(value: unknown): Selection | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = fieldsOf(value);
  return {
    path: text(fields, 'path'),
    line: lineNumber(fields, 'line'),
    endLine: lineNumber(fields, 'endLine'),
    text: text(fields, 'text'),
  };
}

/** Of what is asked without parameters. */
export function noParams(): Record<string, never> {
  return {};
}

/** @throws LocretError invalid-argument */
export function rootParams(params: unknown): RootParams {
  return { root: text(fieldsOf(params), 'root') };
}

/** @throws LocretError invalid-argument */
export function readParams(params: unknown): ReadParams {
  return { ...rootParams(params), fresh: flag(fieldsOf(params), 'fresh') };
}

/** @throws LocretError invalid-argument */
export function stopReadingParams(params: unknown): StopReadingParams {
  return { ...rootParams(params), keep: flag(fieldsOf(params), 'keep') };
}

/** @throws LocretError invalid-argument */
export function planParams(params: unknown): PlanParams {
  const fields = fieldsOf(params);
  return { ...rootParams(params), model: fields['model'] === undefined ? undefined : text(fields, 'model') };
}

/** @throws LocretError invalid-argument */
export function lineRetentionParams(params: unknown): LineRetentionParams {
  return { ...rootParams(params), path: text(fieldsOf(params), 'path') };
}

/** @throws LocretError invalid-argument, naming the parameter, its value and what was expected */
export function askParams(params: unknown): AskParams {
  const fields = fieldsOf(params);
  const mode = fields['mode'] ?? 'memory';
  if (mode !== 'memory' && mode !== 'deep') throw refuse('mode', mode, '"memory" or "deep"');
  const selected = selection(fields['selection']);
  return {
    root: text(fields, 'root'),
    question: text(fields, 'question'),
    history: turns(fields['history']),
    mode,
    ...(selected === undefined ? {} : { selection: selected }),
  };
}

/** @throws LocretError invalid-argument */
export function definitionAtParams(params: unknown): DefinitionAtParams {
  const fields = fieldsOf(params);
  return { uri: text(fields, 'uri'), line: lineNumber(fields, 'line') };
}
