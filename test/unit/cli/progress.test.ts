import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ProgressBar, progressLine } from '../../../server/cli/progress.js';

const halfway = {
  filesRead: 3,
  files: 6,
  tokensRead: 1200,
  bytesRead: 500,
  bytes: 1000,
  tokensPerSecond: 432.1,
  secondsLeft: 7,
};

describe('the progress line of a read', () => {
  it('shows share, files, tokens, speed and time left', () => {
    expect(progressLine(halfway)).toBe(
      `Reading ${'█'.repeat(12)}${'░'.repeat(12)}  50 % · 3/6 files · 1,200 tokens · 432 tokens/s · 7.0 s left`,
    );
  });

  it('leaves the time left out while it is unknown', () => {
    expect(progressLine({ ...halfway, secondsLeft: undefined })).not.toContain('left');
  });

  it('never shows more than everything when files grew while they were read', () => {
    expect(progressLine({ ...halfway, bytesRead: 2000 })).toContain('100 %');
  });
});

describe('the progress of a read where there is no terminal', () => {
  it('is nothing while there is little to wait for, and one line at the end', () => {
    const output = new PassThrough();
    const bar = new ProgressBar(output);
    bar.showSurvey(1);
    bar.show(halfway);
    const finished = { ...halfway, filesRead: 6, bytesRead: 1000 };
    bar.show(finished);
    bar.show(finished);
    bar.end();
    expect(String(output.read())).toBe(`Reading ${'█'.repeat(24)} 100 % · 6/6 files · 1,200 tokens · 432 tokens/s\n`);
  });
});
