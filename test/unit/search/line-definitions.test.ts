import { describe, expect, it } from 'vitest';
import { scanLines } from '../../../server/search/line-definitions.js';

/** Each definition as `kind container.name@line`. */
function defined(path: string, text: string): string[] {
  const bytes = Buffer.from(text);
  return scanLines(path, bytes, bytes.toString('latin1')).definitions.map(
    ({ kind, name, row, container, local }) =>
      `${kind} ${container === undefined ? '' : `${container}.`}${name}@${row + 1}${local ? ' local' : ''}`,
  );
}

describe('what lines define in', () => {
  it('Python: members, constants, and functions inside of functions', () => {
    const text = `LIMIT = 1

class Store:
    size: int

    async def load(self):
        def inner(): pass
        value = 1

if True:
    OTHER = 2
`;
    expect(defined('a.py', text)).toEqual([
      'constant LIMIT@1',
      'class Store@3',
      'field Store.size@4',
      'method Store.load@6',
      'function Store.inner@7 local',
      'constant OTHER@11',
    ]);
  });

  it('JavaScript: methods of objects and prototypes, but no calls', () => {
    const text = `const fs = require('fs')
res.sendFile = function sendFile(path) {
  setTimeout(() => {
    done()
  })
}
module.exports = {
  lookup(name) {
    return name
  },
}
const join = (a, b) => a + b
`;
    expect(defined('a.js', text)).toEqual(['function sendFile@2', 'method lookup@8', 'function join@12']);
  });

  it('C: functions in both brace styles, macros and structures, but no prototypes', () => {
    const text = `#define LIMIT 3
#define assert(x) (x)
int later(int a);
struct server {
    int port;
};
static int
first(int a)
{
    call(a);
    return a;
}
int second(int a) {
}
`;
    expect(defined('a.c', text)).toEqual([
      'constant LIMIT@1',
      'function assert@2',
      'class server@4',
      'field server.port@5',
      'function first@8',
      'function second@13',
    ]);
  });

  it('documents: headings with signs and with lines below', () => {
    expect(defined('a.md', '# One\n\ntext\n\nTwo\n---\n')).toEqual(['heading One@1', 'heading Two@5']);
    expect(defined('a.rst', 'Title\n=====\n\n.. envvar:: APP_MODE\n')).toEqual(['heading Title@1', 'entry APP_MODE@4']);
  });

  it('settings: keys and sections', () => {
    expect(defined('a.toml', '[server.http]\nport = 1\n')).toEqual(['section server.http@1', 'key server.http.port@2']);
    expect(defined('a.yaml', 'jobs:\n  lint-all:\n    steps: 1\n')).toEqual([
      'key jobs@1',
      'key jobs.lint-all@2',
      'key lint-all.steps@3',
    ]);
    expect(defined('.env.local', 'APP_PORT=1\n')).toEqual(['key APP_PORT@1']);
  });

  it('names beyond ASCII', () => {
    expect(defined('a.py', 'def größe(): pass\n')).toEqual(['function größe@1']);
  });
});

describe('lines', () => {
  it('are counted as editors do', () => {
    const lines = (text: string): number => scanLines('a.txt', Buffer.from(text), text).begins.length - 1;
    expect([lines('a'), lines('a\n'), lines('a\nb'), lines('\n\n')]).toEqual([1, 1, 2, 2]);
  });

  it('that are too long define nothing, and the others still do', () => {
    const text = `const a${'b'.repeat(5_000)} = 1\nconst right = 2\n`;
    expect(defined('a.js', text)).toEqual(['constant right@2']);
  });
});
