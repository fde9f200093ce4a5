import { describe, expect, it } from 'vitest';
import { SavePace } from '../../../../server/memory/reading/save-pace.js';

/** A reading of some seconds that is saved whenever it is due, and when that was; a save takes some seconds. */
async function read(seconds: number, bytes: number, saveSeconds: number): Promise<{ saves: number[]; spent: number }> {
  let clock = 1000;
  const pace = new SavePace(bytes, () => clock);
  const saves: number[] = [];
  for (const end = clock + seconds; clock < end; clock += 0.25) {
    if (!pace.isDue) continue;
    saves.push(clock - 1000);
    await pace.timed(() => {
      clock += saveSeconds;
      return Promise.resolve();
    });
  }
  return { saves, spent: saves.length * saveSeconds };
}

describe('saving a reading on its way', () => {
  it('is done every half a minute when it takes no time', async () => {
    expect((await read(100, 6e6, 0)).saves).toEqual([30, 60, 90]);
  });

  it('is not done in a short reading', async () => {
    expect((await read(29, 6e6, 0)).saves).toEqual([]);
  });

  it.each([
    [6e6, 0.05],
    [6e6, 2],
    [2e9, 20],
    [2e9, 5],
  ])('of %d bytes that takes %d seconds costs at most 2 %% of the time', async (bytes, saveSeconds) => {
    const { saves, spent } = await read(10_000, bytes, saveSeconds);
    expect(spent / 10_000).toBeLessThanOrEqual(0.02);
    expect(saves.length).toBeGreaterThan(8);
  });

  it('waits for the first time until it is worth what it is expected to cost', async () => {
    expect((await read(2000, 2e9, 20)).saves[0]).toBe(1000);
  });
});
