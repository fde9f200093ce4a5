import { describe, expect, it } from 'vitest';
import { contentWords, namesInText } from '../../../server/answer/names-in-text.js';

const texts = (question: string): string[] => namesInText(question).map(({ text }) => text);

describe('names in a question', () => {
  it.each([
    ['Where is `retainTopUnits` defined?', ['retainTopUnits']],
    ['where is retain_top_units', ['retain_top_units']],
    ["What does 'Engine' do?", ['Engine']],
    ['What does `Engine.rewind()` return?', ['Engine.rewind']],
    ['Explain server/engine/eviction.ts, please.', ['server/engine/eviction.ts']],
    ['What is in `./src/main.rs`?', ['src/main.rs']],
    ['What does std::vector::push_back do?', ['std::vector::push_back']],
    ['value of MAX_CHUNK?', ['MAX_CHUNK']],
    ['How does HTTPServer start', ['HTTPServer', 'start']],
  ])('finds them in: %s', (question, names) => {
    expect(texts(question)).toEqual(names);
  });

  it('reads the line of a path', () => {
    expect(namesInText('Why server/a.ts:41?')).toEqual([{ text: 'server/a.ts', form: 'code', line: 41 }]);
    expect(namesInText('See `server/a.ts#L7`.')).toEqual([{ text: 'server/a.ts', form: 'quoted', line: 7 }]);
    expect(namesInText('See a.py:3:14')).toEqual([{ text: 'a.py', form: 'code', line: 3 }]);
  });

  it('puts quoted names first, then what is written as code, then words', () => {
    expect(namesInText('the sampler of topK and `draw`').map(({ form }) => form)).toEqual(['quoted', 'code', 'word']);
  });

  it('takes an apostrophe for an apostrophe', () => {
    expect(texts("What's the engine's budget, and isn't it small?")).not.toContain('s the engine');
  });

  it('does not take the words of a question for names', () => {
    expect(texts('Where is it defined and what does it return?')).toEqual([]);
    expect(contentWords('How does the reader order the files?')).toEqual(['reader', 'order']);
  });

  it('stays quick on long and hostile text', () => {
    const hostile =
      '`'.repeat(20_000) +
      '('.repeat(20_000) +
      'a.'.repeat(20_000) +
      "'".repeat(20_000) +
      '.'.repeat(100_000) +
      'a' +
      ':1'.repeat(100_000);
    expect(namesInText(hostile).length).toBeLessThan(10);
  });
});
