import { showJson } from '../../contract/json.js';
import { LocretError } from '../../errors.js';
import type { Bounds, Refusal } from '../json-fields.js';
import type { GgufNumbers, GgufValue } from './metadata-values.js';

/** The metadata of a GGUF file, each value checked as it is read; errors name the file, the key and the value. */
export class MetadataFields {
  constructor(
    readonly path: string,
    readonly values: ReadonlyMap<string, GgufValue>,
    private readonly refusal: Refusal,
  ) {}

  has(key: string): boolean {
    return this.values.has(key);
  }

  /** An error about one key: what was expected, and what is there. */
  wrong(key: string, expected: string): LocretError {
    return new LocretError(
      this.refusal.code,
      `${this.path}: the metadata "${key}" must be ${expected}, not ${showValue(this.values.get(key))}.`,
      this.refusal.remedy,
    );
  }

  string(key: string): string | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.wrong(key, 'a string');
  }

  boolean(key: string): boolean | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.wrong(key, 'true or false');
  }

  number(key: string, bounds: Bounds): number | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= bounds.min && value <= bounds.max) return value;
    throw this.wrong(key, `a number from ${bounds.min} to ${bounds.max}`);
  }

  integer(key: string, bounds: Bounds): number | undefined {
    const value = this.number(key, bounds);
    if (value === undefined || Number.isInteger(value)) return value;
    throw this.wrong(key, `a whole number from ${bounds.min} to ${bounds.max}`);
  }

  requiredInteger(key: string, bounds: Bounds): number {
    const value = this.integer(key, bounds);
    if (value === undefined) throw this.wrong(key, `a whole number from ${bounds.min} to ${bounds.max}`);
    return value;
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    if (isStrings(value)) return value;
    throw this.wrong(key, 'a list of strings');
  }

  /** A list of numbers of at most 32 bits each, or of floating point. */
  numbers(key: string): Exclude<GgufNumbers, BigInt64Array | BigUint64Array> | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    if (ArrayBuffer.isView(value) && !(value instanceof BigInt64Array) && !(value instanceof BigUint64Array)) {
      return value;
    }
    throw this.wrong(key, 'a list of numbers');
  }
}

function isStrings(value: GgufValue): value is readonly string[] {
  return Array.isArray(value);
}

/** A short form of any value for error messages. */
function showValue(value: GgufValue | undefined): string {
  if (typeof value === 'bigint') return String(value);
  if (ArrayBuffer.isView(value)) return `a list of ${value.length} numbers`;
  if (Array.isArray(value)) return `a list of ${value.length} strings`;
  return showJson(value);
}
