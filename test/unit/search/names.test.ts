import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { RepositorySearch } from '../../../server/search/repository-search.js';

const options = { maxFileBytes: 1 << 20, include: [], exclude: [] };

function isName(value: unknown): value is { kind: string; query: string; path: string; line: number } {
  return typeof value === 'object' && value !== null && 'query' in value && 'path' in value && 'line' in value;
}

const listed: unknown = JSON.parse(readFileSync('test/fixtures/polyglot.names.json', 'utf8'));
const names = Array.isArray(listed) ? listed.filter(isName) : [];

describe('the first link to', () => {
  let search: RepositorySearch;
  beforeAll(async () => {
    search = await RepositorySearch.open('test/fixtures/polyglot', options);
  });

  it.each(names)('$kind $query', async ({ query, path, line }) => {
    for (const text of [query, `Where is ${query} defined?`, `What is ${query}?`]) {
      const [place] = await search.find(text);
      if (path.endsWith('/')) expect(place?.path.startsWith(path), text).toBe(true);
      else expect({ path: place?.path, line: place?.line }, text).toEqual({ path, line });
    }
  });
});
