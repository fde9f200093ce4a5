import { readFileSync, statSync } from 'node:fs';
import type { ErrorCode } from '../contract/words.js';
import { LocretError, messageOf, systemErrorCode } from '../errors.js';

/** Why a file of a model folder is refused, and what the user can do. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly remedy: string;
}

/** What a damaged file of a downloaded model is answered with. */
export const DAMAGED_MODEL: Refusal = {
  code: 'model-corrupt',
  remedy: 'Download the model again, or choose another model folder.',
};

/** Bounds of a number in a JSON file; both ends are allowed. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** True for a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A short form of any JSON value for error messages. */
export function showJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  try {
    const text = JSON.stringify(value);
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
  } catch {
    return 'a value nested too deeply';
  }
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

/** The fields of a JSON object in a file, each checked as it is read; errors name the file, the key and the value. */
export class JsonFields {
  private constructor(
    readonly file: string,
    readonly values: Readonly<Record<string, unknown>>,
    private readonly refusal: Refusal,
    private readonly prefix: string,
  ) {}

  /** Reads a file whose whole content is one JSON object. */
  static read(file: string, limit: number, refusal: Refusal): JsonFields {
    const text = readTextFile(file, limit, refusal);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new LocretError(refusal.code, `${file} is not JSON: ${messageOf(error)}.`, refusal.remedy, {
        cause: error,
      });
    }
    if (!isJsonObject(value)) {
      throw new LocretError(refusal.code, `${file} must hold a JSON object, not ${showJson(value)}.`, refusal.remedy);
    }
    return new JsonFields(file, value, refusal, '');
  }

  /** True when the key has a value other than null. */
  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** The raw value; null counts as absent. */
  value(key: string): unknown {
    return Object.hasOwn(this.values, key) ? (this.values[key] ?? undefined) : undefined;
  }

  /** An error about one key: what was expected, and what is there. */
  wrong(key: string, expected: string): LocretError {
    return new LocretError(
      this.refusal.code,
      `${this.file}: "${this.prefix}${key}" must be ${expected}, not ${showJson(this.value(key))}.`,
      this.refusal.remedy,
    );
  }

  object(key: string): JsonFields | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) throw this.wrong(key, 'an object');
    return new JsonFields(this.file, value, this.refusal, `${this.prefix}${key}.`);
  }

  string(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.wrong(key, 'a string');
  }

  boolean(key: string): boolean | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.wrong(key, 'true or false');
  }

  number(key: string, bounds: Bounds): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= bounds.min && value <= bounds.max) return value;
    throw this.wrong(key, `a number from ${bounds.min} to ${bounds.max}`);
  }

  integer(key: string, bounds: Bounds): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (Number.isSafeInteger(value)) {
      const whole = Number(value);
      if (whole >= bounds.min && whole <= bounds.max) return whole;
    }
    throw this.wrong(key, `a whole number from ${bounds.min} to ${bounds.max}`);
  }

  requiredInteger(key: string, bounds: Bounds): number {
    const value = this.integer(key, bounds);
    if (value === undefined) throw this.wrong(key, `a whole number from ${bounds.min} to ${bounds.max}`);
    return value;
  }

  /** A list of numbers, all within the bounds. */
  numbers(key: string, bounds: Bounds): number[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const expected = `a list of numbers from ${bounds.min} to ${bounds.max}`;
    if (!Array.isArray(value)) throw this.wrong(key, expected);
    return value.map((item: unknown) => {
      if (typeof item !== 'number' || !(item >= bounds.min && item <= bounds.max)) throw this.wrong(key, expected);
      return item;
    });
  }

  /** A whole number or a list of them, as `eos_token_id` is. */
  integers(key: string, bounds: Bounds): number[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return [this.requiredInteger(key, bounds)];
    const numbers = this.numbers(key, bounds) ?? [];
    if (!numbers.every(Number.isSafeInteger)) throw this.wrong(key, 'a list of whole numbers');
    return numbers;
  }

  strings(key: string): string[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.wrong(key, 'a list of strings');
    return value.map((item: unknown) => {
      if (typeof item !== 'string') throw this.wrong(key, 'a list of strings');
      return item;
    });
  }
}
