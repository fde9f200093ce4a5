import { describe, expect, it } from 'vitest';
import { DefinitionTable } from '../../../../server/memory/contents/definition-table.js';
import type { Definition } from '../../../../server/repository/source.js';

const some: readonly Definition[] = Array.from({ length: 500 }, (_, i) => ({
  name: `name${i % 90}`,
  kind: i % 3 === 0 ? 'class' : 'method',
  path: `folder/file${i % 7}.ts`,
  line: i + 1,
  endLine: i + 9,
  nameLine: i + 2,
  container: i % 4 === 0 ? undefined : `name${i % 5}`,
}));

describe('the table of definitions', () => {
  it('gives back what was added, in order', () => {
    const table = new DefinitionTable();
    table.add(some.slice(0, 3));
    table.add([]);
    table.add(some.slice(3));
    expect(table).toHaveLength(500);
    expect([...table]).toEqual(some);
  });

  it('is written as a list', () => {
    const parse: (text: string) => unknown = JSON.parse;
    expect(parse(JSON.stringify(DefinitionTable.of(some)))).toEqual(parse(JSON.stringify(some)));
  });

  it('can be empty', () => {
    expect([...new DefinitionTable()]).toEqual([]);
  });
});
