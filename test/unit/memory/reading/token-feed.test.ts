import { describe, expect, it } from 'vitest';
import { TokenFeed, type TokenFeedOptions } from '../../../../server/memory/reading/token-feed.js';
import { RecordingEngine } from '../recording-engine.js';

const chunk = 8;
const local = 3;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const tokens = (count: number): Int32Array => Int32Array.from(numbers(count));

function feedInto(engine: RecordingEngine, options: Partial<TokenFeedOptions> = {}): TokenFeed {
  return new TokenFeed({ engine, local, firstTokenIndex: 0, onChunk: () => undefined, signal: undefined, ...options });
}

/** Feeds tokens 0..count-1 in pieces; returns the engine. */
async function feedTokens(count: number, piece: number): Promise<RecordingEngine> {
  const engine = new RecordingEngine({ chunk });
  const feed = feedInto(engine);
  for (let at = 0; at < count; at += piece) await feed.push(tokens(count).slice(at, at + piece));
  expect(feed.nextTokenIndex).toBe(count);
  await feed.finish();
  return engine;
}

describe('feeding tokens to the engine', () => {
  it.each([1, 2, 3, 4, 10, 11, 12, 50, 200, 1001])('reads each of %i tokens once and in order', async (count) => {
    for (const piece of [1, 7, 64, 5000]) expect((await feedTokens(count, piece)).tokens).toEqual(numbers(count));
  });

  it('cuts passes at multiples of the chunk, however the tokens come', async () => {
    for (const piece of [1, 5, 8, 5000]) {
      const { calls } = await feedTokens(203, piece);
      const begins = calls.map((_, i) => calls.slice(0, i).reduce((sum, { tokens }) => sum + tokens.length, 0));
      const evicting = begins.filter((_, i) => calls[i]?.evict !== 'none');
      expect(evicting.every((begin) => begin % chunk === 0)).toBe(true);
    }
  });

  it('tells of each token whether its units stay before others, however the tokens come', async () => {
    const third = (token: number): number => (token % 3 === 0 ? 1 : 0);
    for (const piece of [1, 5, 64, 5000]) {
      const engine = new RecordingEngine({ chunk });
      const feed = feedInto(engine);
      for (let at = 0; at < 203; at += piece) {
        const part = tokens(203).slice(at, at + piece);
        await feed.push(part, Uint8Array.from(part, third));
      }
      await feed.finish();
      // Local tokens are not evicted.
      expect(engine.favoured).toEqual(numbers(203 - local).filter((token) => third(token) === 1));
    }
  });

  it('ends with one final eviction and then the local tokens without any, as in Algorithm 1 of the paper', async () => {
    for (const count of [4, 20, 200, 1001]) {
      const { calls } = await feedTokens(count, 7);
      const evictions = calls.map(({ evict }) => evict);
      expect(evictions.slice(-2)).toEqual(['final', 'none']);
      expect(new Set(evictions.slice(0, -2))).toEqual(new Set(count > 60 ? ['between-chunks'] : []));
      expect(calls.at(-1)?.tokens).toEqual(numbers(count).slice(-local));
    }
  });

  it('evicts nothing of a text that is no longer than the local part', async () => {
    expect((await feedTokens(3, 3)).calls.map(({ evict }) => evict)).toEqual(['none']);
    expect((await feedTokens(0, 1)).calls).toEqual([]);
  });

  it('never hands more than four chunks to the engine before the end, and waits for it', async () => {
    const engine = new RecordingEngine({ chunk });
    let running = 0;
    let most = 0;
    engine.beforePass = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
    };
    const feed = feedInto(engine);
    await feed.push(tokens(500));
    expect(engine.tokens.length).toBeGreaterThanOrEqual(500 - local - 5 * chunk);
    await feed.finish();
    expect(Math.max(...engine.calls.map(({ tokens }) => tokens.length))).toBeLessThanOrEqual(5 * chunk);
    expect(most).toBe(1);
  });

  it('fails with the error of the engine at the next push, and settles without another', async () => {
    const engine = new RecordingEngine({ chunk });
    engine.beforePass = () => {
      throw new Error('the engine is gone');
    };
    const feed = feedInto(engine);
    await feed.push(tokens(local + 5 * chunk));
    await expect(feed.push(tokens(local + 5 * chunk))).rejects.toThrow('the engine is gone');
    await feed.settle();
  });

  it('rests between calls at the end of a chunk, with more tokens to follow', async () => {
    const engine = new RecordingEngine({ chunk });
    const rests: number[] = [];
    const betweenCalls = (): Promise<void> => {
      rests.push(engine.tokens.length);
      return Promise.resolve();
    };
    const feed = feedInto(engine, { betweenCalls });
    for (let at = 0; at < 200; at += 7) await feed.push(tokens(200).slice(at, at + 7));
    await feed.finish();
    expect(rests).toEqual([0, 32, 64, 96, 128]);
  });

  it('reads the local tokens once the last chunk was read, though it was cancelled meanwhile', async () => {
    const engine = new RecordingEngine({ chunk });
    const cancel = new AbortController();
    const lastChunk = 40;
    engine.beforePass = (tokensRead) => {
      if (tokensRead === lastChunk) cancel.abort();
    };
    const feed = feedInto(engine, { signal: cancel.signal });
    await feed.push(tokens(lastChunk + local));
    await feed.finish();
    expect(engine.tokens).toEqual(numbers(lastChunk + local));
    const cancelledEarlier = feedInto(engine, { signal: cancel.signal });
    await cancelledEarlier.push(tokens(lastChunk));
    await expect(cancelledEarlier.finish()).rejects.toMatchObject({ code: 'cancelled' });
  });
});
