import { describe, expect, it } from 'vitest';
import { progressLine } from '../../../server/cli/progress.js';

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
