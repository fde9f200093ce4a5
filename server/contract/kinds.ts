/**
 * A kind of value that crosses a boundary: which values are of it, and what it is called in messages, on a command line and
 * in VS Code's settings.
 */
export interface Kind<Value> {
  readonly form: 'text' | 'path' | 'flag' | 'word' | 'number' | 'whole number' | 'list';
  /** `a whole number of at least 1`, as in: expected … */
  readonly expected: string;
  /** Of a form with numbers. */
  readonly least?: number;
  readonly most?: number;
  /** Of a word: all there are. */
  readonly words?: readonly string[];
  /** The value as the program takes it; undefined when it is not of this kind. */
  readonly accept: (value: unknown) => Value | undefined;
}

function trimmed(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

export const text: Kind<string> = {
  form: 'text',
  expected: 'a text',
  accept: (value) => (typeof value === 'string' ? value : undefined),
};

/** A text that says something; white space around it does not count. */
export const name: Kind<string> = { ...text, accept: trimmed };

/** A file or folder. */
export const path: Kind<string> = { ...name, form: 'path' };

export const flag: Kind<boolean> = {
  form: 'flag',
  expected: 'true or false',
  accept: (value) => (typeof value === 'boolean' ? value : undefined),
};

/** A list. @param items what its items are called, all of them */
export function listOf<Item>({ accept }: Kind<Item>, items: string): Kind<Item[]> {
  return {
    form: 'list',
    expected: `a list of ${items}`,
    accept: (value) => {
      if (!Array.isArray(value)) return undefined;
      const accepted = value.map(accept).filter((item) => item !== undefined);
      return accepted.length === value.length ? accepted : undefined;
    },
  };
}

export const texts: Kind<readonly string[]> = listOf(text, 'texts');

export function word<const Word extends string>(words: readonly Word[]): Kind<Word> {
  return {
    form: 'word',
    // Put together only for a message: words of a snapshot are read by the million.
    get expected() {
      return `one of ${words.join(', ')}`;
    },
    words,
    accept: (value) => words.find((candidate) => candidate === value),
  };
}

/** A number in a closed range; finite. */
export function number(least: number, most = Infinity): Kind<number> {
  return {
    form: 'number',
    expected: most === Infinity ? `a number of at least ${least}` : `a number between ${least} and ${most}`,
    least,
    most,
    accept: (value) =>
      typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most ? value : undefined,
  };
}

/** A whole number in a closed range. */
export function wholeNumber(least: number, most = Infinity): Kind<number> {
  const { accept } = number(least, most);
  return {
    form: 'whole number',
    expected: most === Infinity ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`,
    least,
    most,
    accept: (value) => (Number.isSafeInteger(value) ? accept(value) : undefined),
  };
}

/** A number above 0, at most 1. */
export const share: Kind<number> = {
  ...number(0, 1),
  expected: 'a number above 0, at most 1',
  accept: (value) => (value === 0 ? undefined : number(0, 1).accept(value)),
};

const megabyte = 1 << 20;

/** Bytes; written in megabytes. */
export function megabytes(least: number, most: number): Kind<number> {
  const written = number(least, most);
  return {
    ...written,
    accept: (value) => {
      const size = written.accept(value);
      return size === undefined ? undefined : Math.floor(size * megabyte);
    },
  };
}
