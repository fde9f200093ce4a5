import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { withAnswerOptions, withReadingOptions } from '../../../server/cli/options.js';

function parse(...argv: string[]): Record<string, unknown> {
  const command = withAnswerOptions(withReadingOptions(new Command('test')))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(argv, { from: 'user' }).opts();
}

describe('command-line options', () => {
  it('reads numbers, words and repeated patterns', () => {
    const options = parse(
      '--budget',
      '512',
      '--policy',
      'sink-recent',
      '--exclude',
      'a',
      '--exclude',
      'b',
      '--min-p',
      '0.1',
    );
    expect(options).toMatchObject({ budget: 512, policy: 'sink-recent', exclude: ['a', 'b'], minP: 0.1 });
  });

  it('counts the file size limit in bytes', () => {
    expect(parse('--max-file-size', '2')).toMatchObject({ maxFileSize: 2 * 1024 * 1024 });
  });

  it.each([
    ['--budget', '0'],
    ['--budget', '1.5'],
    ['--budget', 'many'],
    ['--policy', 'best'],
    ['--precision', 'int3'],
    ['--top-p', '1.2'],
    ['--temperature', ''],
    ['--seed', '-1'],
  ])('refuses %s %s', (name, value) => {
    expect(() => parse(name, value)).toThrow(CommanderError);
  });
});
