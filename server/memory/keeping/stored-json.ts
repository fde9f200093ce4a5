import { JsonReader } from '../../contract/json.js';

/**
 * Reads a JSON object that this program wrote.
 * @param name what it is called in messages
 * @throws Error when it is no JSON, and later for what is of another form, naming its place
 */
export function readStored(json: string, name: string): JsonReader {
  const parse: (text: string) => unknown = JSON.parse;
  return new JsonReader(parse(json), (place, _, { expected }) => new Error(`${place} is not ${expected}`), { name });
}
