import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReadProgress } from '../../../../server/contract/roots.js';
import { ProgressMeter } from '../../../../server/memory/reading/progress-meter.js';

let seconds: number;
let reports: ReadProgress[];
const onProgress = (progress: ReadProgress): void => {
  reports.push(progress);
};

beforeEach(() => {
  seconds = 100;
  reports = [];
  vi.spyOn(performance, 'now').mockImplementation(() => 1000 * seconds);
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the progress of a read', () => {
  it('counts what the engine has read of what was tokenized', () => {
    const meter = new ProgressMeter({ files: 3, bytes: 4000 }, onProgress);
    meter.segmentTokenized(1000, 400);
    meter.fileTokenized(400);
    meter.segmentTokenized(1000, 400);
    seconds += 2;
    meter.engineRead(500);
    expect(reports).toEqual([
      {
        filesRead: 1,
        files: 3,
        tokensRead: 500,
        bytesRead: 1250,
        bytes: 4000,
        tokensPerSecond: 250,
        secondsLeft: (2 * 2750) / 1250,
      },
    ]);
  });

  it('tells no time left before it knows a speed', () => {
    const meter = new ProgressMeter({ files: 3, bytes: 4000 }, onProgress);
    meter.segmentTokenized(1000, 400);
    seconds += 0.5;
    meter.engineRead(100);
    expect(reports[0]?.secondsLeft).toBeUndefined();
  });

  it('that goes on counts all files, but the speed and the time left of this session', () => {
    const meter = new ProgressMeter({ files: 10, bytes: 10_000 }, onProgress, { files: 4, bytes: 5000, tokens: 2000 });
    meter.beginBehind(300);
    meter.segmentTokenized(2000, 800);
    meter.fileTokenized(800);
    seconds += 2;
    meter.engineRead(500);
    // Of 500 tokens 200 were read now, which are 500 bytes; 3750 bytes are left.
    expect(reports[0]).toEqual({
      filesRead: 4,
      files: 10,
      tokensRead: 2500,
      bytesRead: 6250,
      bytes: 10_000,
      tokensPerSecond: 100,
      secondsLeft: (2 * 3750) / 500,
    });
    meter.engineRead(800);
    expect(meter.progress()).toMatchObject({ filesRead: 5, tokensRead: 2800 });
    meter.finish();
    expect(reports.at(-1)).toMatchObject({ filesRead: 10, bytesRead: 10_000 });
  });
});
