import { flag, number, word, type Kind } from './kinds.js';

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

/** What was expected of a value. */
export type Expected = Pick<Kind<unknown>, 'expected' | 'words'>;

/** Makes the error about a value that is not what it should be. @param place `turns[2].line` */
export type Refuse = (place: string, value: unknown, expected: Expected) => Error;

/** Where a value stands. Put together only for an error: a large repository has millions of values. */
interface Place {
  /** An index in a list. The outermost object is called as its reader says; by nothing where its fields are named alone. */
  readonly name: string | number;
  readonly parent?: Place;
}

function shown({ name, parent }: Place): string {
  if (parent === undefined) return String(name);
  const before = shown(parent);
  if (typeof name === 'number') return `${before}[${name}]`;
  return before === '' ? name : `${before}.${name}`;
}

const amount = number(0);

/**
 * Reads a JSON object whose shape is not known: of a file, or of a message. Every method throws what `refuse` makes when a
 * field is not what is asked for. A field that is null counts as left out.
 */
export class JsonReader {
  readonly values: Readonly<Record<string, unknown>>;

  constructor(
    value: unknown,
    private readonly refuse: Refuse,
    private readonly place: Place = { name: '' },
  ) {
    if (!isJsonObject(value)) throw refuse(shown(place), value, { expected: 'an object' });
    this.values = value;
  }

  /** The field as it is; undefined where it is left out. */
  value(name: string): unknown {
    return Object.hasOwn(this.values, name) ? (this.values[name] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  /** The error about a field that is not what was expected. */
  wrong(name: string, expected: string | Expected): Error {
    const place = shown({ name, parent: this.place });
    return this.refuse(place, this.values[name], typeof expected === 'string' ? { expected } : expected);
  }

  get<Value>(name: string, kind: Kind<Value>): Value {
    const value = kind.accept(this.value(name));
    if (value === undefined) throw this.wrong(name, kind);
    return value;
  }

  /** Undefined where it is left out. */
  find<Value>(name: string, kind: Kind<Value>): Value | undefined {
    return this.has(name) ? this.get(name, kind) : undefined;
  }

  /** A text, be it empty. @param longest UTF-16 units */
  text(name: string, longest = Infinity): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw this.wrong(name, 'a text');
    if (value.length > longest) throw this.wrong(name, `a text of at most ${longest} characters`);
    return value;
  }

  flag(name: string): boolean {
    return this.get(name, flag);
  }

  word<const Word extends string>(name: string, words: readonly Word[]): Word {
    return this.get(name, word(words));
  }

  /** A finite number that is not negative. */
  amount(name: string): number {
    return this.get(name, amount);
  }

  /** A whole number that is not negative. */
  count(name: string): number {
    const value = this.amount(name);
    if (!Number.isSafeInteger(value)) throw this.wrong(name, 'a whole number');
    return value;
  }

  /** A line number: a whole number of at least 1. */
  line(name: string): number {
    const value = this.value(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
    throw this.wrong(name, 'a line number from 1');
  }

  object(name: string): JsonReader {
    return new JsonReader(this.value(name), this.refuse, { name, parent: this.place });
  }

  /** An object as `read` reads it; undefined where it is left out. */
  findObject<Result>(name: string, read: (reader: JsonReader) => Result): Result | undefined {
    return this.has(name) ? read(this.object(name)) : undefined;
  }

  /** A list of objects, at most `longest`. */
  list<Item>(name: string, read: (item: JsonReader) => Item, longest = Infinity): Item[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw this.wrong(name, 'a list');
    if (value.length > longest) throw this.wrong(name, `a list of at most ${longest}`);
    const parent = { name, parent: this.place };
    return value.map((item: unknown, index) => read(new JsonReader(item, this.refuse, { name: index, parent })));
  }
}
