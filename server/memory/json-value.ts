import { isJsonObject } from '../model/json-fields.js';

/** Reads JSON values of known form; anything else throws with the path of the value. */
export class JsonValue {
  constructor(
    private readonly value: unknown,
    private readonly key: string | number,
    private readonly parent?: JsonValue,
  ) {}

  /** Put together only for an error: a large repository has millions of values. */
  private get where(): string {
    const { key, parent } = this;
    if (parent === undefined) return String(key);
    return typeof key === 'number' ? `${parent.where}[${key}]` : `${parent.where}.${key}`;
  }

  private wrong(expected: string): Error {
    return new Error(`${this.where} is not ${expected}`);
  }

  field(name: string): JsonValue {
    if (!isJsonObject(this.value)) throw this.wrong('an object');
    return new JsonValue(this.value[name], name, this);
  }

  list<Item>(of: (item: JsonValue) => Item): Item[] {
    if (!Array.isArray(this.value)) throw this.wrong('a list');
    return this.value.map((item: unknown, index) => of(new JsonValue(item, index, this)));
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.wrong('a text');
    return this.value;
  }

  /** Undefined where there is no value. */
  optional<Item>(of: (item: JsonValue) => Item): Item | undefined {
    return this.value === undefined ? undefined : of(this);
  }

  /** A finite number of 0 or more. */
  number(): number {
    if (typeof this.value !== 'number' || !(this.value >= 0 && this.value < Infinity)) throw this.wrong('a number');
    return this.value;
  }

  count(): number {
    const value = this.number();
    if (!Number.isSafeInteger(value)) throw this.wrong('a whole number');
    return value;
  }

  word<Word extends string>(words: readonly Word[]): Word {
    const word = words.find((candidate) => candidate === this.value);
    if (word === undefined) throw this.wrong(`one of ${words.join(', ')}`);
    return word;
  }
}
