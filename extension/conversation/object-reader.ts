import { JsonReader, type Refuse } from '../../server/contract/json.js';

/** Thrown for a value that is not what it should be; the message names its place and what was expected. */
export class UnexpectedShape extends Error {
  override readonly name = 'UnexpectedShape';
}

/** Reads what was kept in a file, or came from a page. Throws {@link UnexpectedShape} where it is not what is asked for. */
export class ObjectReader extends JsonReader {
  /** @param where what the value is called in messages */
  constructor(value: unknown, where: string) {
    const refuse: Refuse = (place, _, { expected, words }) =>
      new UnexpectedShape(`${place}: expected ${words?.join(' or ') ?? expected}`);
    super(value, refuse, { name: where });
  }
}
