import { readFileSync, statSync } from 'node:fs';
import type { ErrorCode } from '../contract/words.js';
import { JsonReader, showJson, type Refuse } from '../contract/json.js';
import * as kinds from '../contract/kinds.js';
import { LocretError, messageOf, systemErrorCode } from '../errors.js';

/** Why a file of a model folder is refused, and what the user can do. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly remedy: string;
}

/** What a damaged file of a downloaded model is answered with. */
export const damagedModel: Refusal = {
  code: 'model-corrupt',
  remedy: 'Download the model again, or choose another model folder.',
};

/** Bounds of a number in a JSON file; both ends are allowed. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/**
 * Reads a regular file as UTF-8 text.
 * @param limit the most bytes it may have: a file beyond it is refused before it is read
 * @throws LocretError with the refusal's code when it is missing, not a regular file, or too large
 */
export function readTextFile(file: string, limit: number, refusal: Refusal): string {
  const refuse = (why: string, cause?: unknown): LocretError =>
    new LocretError(refusal.code, `${file} ${why}.`, refusal.remedy, { cause });
  let size: number;
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw refuse('is not a regular file');
    size = stats.size;
  } catch (error) {
    if (error instanceof LocretError) throw error;
    throw refuse(systemErrorCode(error) === 'ENOENT' ? 'is missing' : `cannot be read: ${messageOf(error)}`, error);
  }
  if (size > limit) throw refuse(`has ${size} bytes; at most ${limit} are expected`);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(`cannot be read: ${messageOf(error)}`, error);
  }
}

/**
 * The fields of a JSON object in a file, each checked as it is read; errors name the file, the key and the value. A key that
 * is absent or null is undefined.
 */
export class JsonFields {
  private constructor(
    readonly file: string,
    private readonly reader: JsonReader,
  ) {}

  /** Reads a file whose whole content is one JSON object. */
  static read(file: string, limit: number, { code, remedy }: Refusal): JsonFields {
    const text = readTextFile(file, limit, { code, remedy });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new LocretError(code, `${file} is not JSON: ${messageOf(error)}.`, remedy, { cause: error });
    }
    const refuse: Refuse = (key, found, { expected }) =>
      key === ''
        ? new LocretError(code, `${file} must hold a JSON object, not ${showJson(found)}.`, remedy)
        : new LocretError(code, `${file}: "${key}" must be ${expected}, not ${showJson(found)}.`, remedy);
    return new JsonFields(file, new JsonReader(value, refuse));
  }

  get values(): Readonly<Record<string, unknown>> {
    return this.reader.values;
  }

  has(key: string): boolean {
    return this.reader.has(key);
  }

  value(key: string): unknown {
    return this.reader.value(key);
  }

  /** An error about one key: what was expected, and what is there. */
  wrong(key: string, expected: string): Error {
    return this.reader.wrong(key, expected);
  }

  find<Value>(key: string, kind: kinds.Kind<Value>): Value | undefined {
    return this.reader.find(key, kind);
  }

  object(key: string): JsonFields | undefined {
    return this.has(key) ? new JsonFields(this.file, this.reader.object(key)) : undefined;
  }

  string(key: string): string | undefined {
    return this.find(key, kinds.text);
  }

  boolean(key: string): boolean | undefined {
    return this.find(key, kinds.flag);
  }

  number(key: string, { min, max }: Bounds): number | undefined {
    return this.find(key, kinds.number(min, max));
  }

  integer(key: string, { min, max }: Bounds): number | undefined {
    return this.find(key, kinds.wholeNumber(min, max));
  }

  requiredInteger(key: string, { min, max }: Bounds): number {
    return this.reader.get(key, kinds.wholeNumber(min, max));
  }

  /** A list of numbers, all within the bounds. */
  numbers(key: string, { min, max }: Bounds): number[] | undefined {
    return this.find(key, kinds.listOf(kinds.number(min, max), `numbers from ${min} to ${max}`));
  }

  /** A whole number or a list of them, as `eos_token_id` is. */
  integers(key: string, bounds: Bounds): number[] | undefined {
    const isList = Array.isArray(this.value(key));
    if (isList) return this.find(key, kinds.listOf(kinds.wholeNumber(bounds.min, bounds.max), 'whole numbers'));
    return this.has(key) ? [this.requiredInteger(key, bounds)] : undefined;
  }

  strings(key: string): readonly string[] | undefined {
    return this.find(key, kinds.texts);
  }
}
