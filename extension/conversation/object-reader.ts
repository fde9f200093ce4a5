/** Thrown for a value that is not what it should be; the message names its place and what was expected. */
export class UnexpectedShape extends Error {
  override readonly name = 'UnexpectedShape';
}

/** Longest text that is accepted where no other limit is given, UTF-16 units. */
const longestText = 4_000_000;

/**
 * Reads the fields of a value whose shape is not known: of a file, or of a message from a page. Every method throws
 * {@link UnexpectedShape} when the field is not of the kind that is asked for.
 */
export class ObjectReader {
  private readonly fields: ReadonlyMap<string, unknown>;

  /** @param where what the value is called in messages */
  constructor(
    value: unknown,
    private readonly where: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new UnexpectedShape(`${where}: expected an object`);
    }
    this.fields = new Map<string, unknown>(Object.entries(value));
  }

  private fail(name: string, expected: string): never {
    throw new UnexpectedShape(`${this.where}.${name}: expected ${expected}`);
  }

  has(name: string): boolean {
    return this.fields.get(name) !== undefined;
  }

  text(name: string, longest = longestText): string {
    const value = this.fields.get(name);
    if (typeof value !== 'string') this.fail(name, 'a text');
    if (value.length > longest) this.fail(name, `at most ${longest} characters`);
    return value;
  }

  /** A finite number that is not negative. */
  amount(name: string): number {
    const value = this.fields.get(name);
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) this.fail(name, 'a number of at least 0');
    return value;
  }

  /** A whole number of at least 1. */
  line(name: string): number {
    const value = this.fields.get(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) this.fail(name, 'a line number');
    return value;
  }

  flag(name: string): boolean {
    const value = this.fields.get(name);
    if (typeof value !== 'boolean') this.fail(name, 'true or false');
    return value;
  }

  /** One of the given words. */
  word<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.fields.get(name);
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) this.fail(name, words.join(' or '));
    return word;
  }

  object(name: string): ObjectReader {
    return new ObjectReader(this.fields.get(name), `${this.where}.${name}`);
  }

  /** A list of at most `longest` elements, each read by `read`. */
  list<Element>(
    name: string,
    read: (element: unknown, where: string) => Element,
    longest = Number.MAX_SAFE_INTEGER,
  ): Element[] {
    const value = this.fields.get(name);
    if (!Array.isArray(value)) this.fail(name, 'a list');
    if (value.length > longest) this.fail(name, `at most ${longest} elements`);
    return value.map((element: unknown, index) => read(element, `${this.where}.${name}[${index}]`));
  }
}

/** The fields of objects in a list. */
export function readObject<Result>(
  read: (reader: ObjectReader) => Result,
): (element: unknown, where: string) => Result {
  return (element, where) => read(new ObjectReader(element, where));
}
