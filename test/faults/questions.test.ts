import { afterAll, describe, expect, it } from 'vitest';
import { apples, expectAnswer, expectFailure, Terminal, whereIsCountApples } from './terminal.js';

const terminal = new Terminal();
const root = terminal.repository('apples', apples);

afterAll(() => {
  terminal.remove();
});

describe('a question that cannot be answered', () => {
  it.each(['', '  \n '])('because it is empty (%j), told before anything is read', async (question) => {
    expectFailure(await terminal.ask(root, question), /The question is empty\.\nAsk something/);
    expect(terminal.snapshots()).toEqual([]);
  });

  it.each([[[]], [['--json']], [['--deep']]])(
    'because it is longer than the window, with the numbers (%j); the memory stays',
    async (argv) => {
      const ended = await terminal.ask(root, 'word '.repeat(3000), ...argv);
      expectFailure(ended, /The question takes \d+ tokens; .* room for \d+, .* at least \d+\.\nAsk a shorter question/);
      expect(terminal.leftovers()).toEqual([]);
    },
  );

  it('does not keep the next one from its answer', async () => {
    const ended = await terminal.ask(root, whereIsCountApples);
    expectAnswer(ended, 'apple.ts:1');
    expect(ended.stdout).toContain('restored in');
  });
});

describe('a command line that cannot be understood', () => {
  it.each([
    [['ask', '--bogus', 'x'], /unknown option '--bogus'/],
    [['ask'], /missing required argument 'question'/],
    [['ask', '--tokens', '0', 'x'], /'--tokens <n>' argument '0' is invalid\. Expected a whole number of at least 1/],
    [['ask', '--tokens', '', 'x'], /argument '' is invalid/],
    [['ask', '--temperature', 'hot', 'x'], /'hot' is invalid\. Expected a number between 0 and 5/],
    [['read', '--max-file-size', '0'], /Expected a number between 0\.001 and 1024/],
    [['ask', '--policy', 'best', 'x'], /Expected one of: locret, key-difference, sink-recent/],
    [['answer', 'x'], /unknown command 'answer'/],
    [['trace', '--out', 'x'], /required option '--model <folder>' not specified/],
  ])('%j ends with 2 and says what was expected', async (argv, message) => {
    expectFailure(await terminal.run(...argv), message, 2);
  });

  it('without a command shows the help and ends with 2', async () => {
    expectFailure(await terminal.run(), /Usage: locret \[options\] \[command\]/, 2);
  });

  it.each([[['--help']], [['ask', '--help']], [['--version']]])('%j is understood', async (argv) => {
    const ended = await terminal.run(...argv);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^(?:Usage: locret|\d+\.\d+\.\d+\n$)/);
  });
});

describe('the output', () => {
  it('of --json is one object and nothing else', async () => {
    const { status, stdout } = await terminal.ask(root, whereIsCountApples, '--json', '--fresh');
    expect(status).toBe(0);
    const parse: (text: string) => object = JSON.parse;
    expect(Object.keys(parse(stdout))).toEqual(
      expect.arrayContaining(['answer', 'citations', 'coverage', 'recall', 'timings', 'memory']),
    );
  });

  it('may be closed by its reader', async () => {
    const asking = terminal.start(['ask', '--help']);
    asking.child.stdout?.destroy();
    expect(await asking.ended).toMatchObject({ status: 0, stderr: '' });
  });
});
