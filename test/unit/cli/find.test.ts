import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { registerFind } from '../../../server/cli/find.js';

async function find(...words: string[]): Promise<string> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const program = new Command().exitOverride();
  registerFind(program);
  await program.parseAsync(['node', 'locret', 'find', '--repo', 'test/fixtures/polyglot', ...words]);
  const text = written.mock.calls.map(([piece]) => String(piece)).join('');
  written.mockRestore();
  return text;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('locret find', () => {
  it('prints one JSON object with the places, best first', async () => {
    const found: unknown = JSON.parse(await find('--json', '--limit', '1', 'poll_gauge'));
    expect(found).toEqual({
      places: [
        {
          path: 'collector/main.c',
          line: 9,
          endLine: 14,
          name: 'poll_gauge',
          text: 'int poll_gauge(struct gauge *gauge)',
          why: 'the function poll_gauge',
        },
      ],
    });
  });

  it('takes what begins with a hyphen behind two of them', async () => {
    expect(await find('--limit', '1', '--', '--max-retries')).toContain('collector/main.c:18');
  });

  it('prints place, name, reason and line', async () => {
    expect(await find('--limit', '1', 'ring-bell')).toBe(
      'signals/bells.clj:3  ring-bell  (the function ring-bell)\n    (defn ring-bell [times]\n',
    );
  });

  it('says that there is nothing', async () => {
    expect(await find('zzyzx')).toMatch(/^Nothing in \d+ files/);
  });
});
