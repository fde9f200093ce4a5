import type { FileRetention } from '../../contract/contents.js';
import type { KeptUnits } from '../../engine/engine.js';
import type { FileMap, SourceMap } from './source-map.js';

/** What of a memory's tokens is still in the cache; it answers without an engine. */
export class RetentionMap {
  /**
   * @param kept of the memory's cache
   * @param heads layers × KV heads
   */
  constructor(
    private readonly kept: KeptUnits,
    private readonly heads: number,
  ) {}

  /** The share of each file's cache units that were kept, in stream order. */
  files(map: SourceMap): FileRetention[] {
    return map.files.map(({ file, begin, end }) => {
      let units = 0;
      for (let at = this.firstFrom(begin); this.tokenAt(at) < end; at++) units += this.kept.counts[at] ?? 0;
      const tokens = end - begin;
      return { path: file.path, tokens, kept: tokens === 0 ? 0 : units / (tokens * this.heads) };
    });
  }

  /** The share of each line's cache units that were kept: index 0 is line 1; NaN for lines on which no token begins. */
  lines({ file, begin, end, lineTokens }: FileMap): Float32Array {
    const shares = new Float32Array(file.lines).fill(NaN);
    let at = this.firstFrom(begin + (lineTokens[0] ?? 0));
    for (let line = 0; line < shares.length; line++) {
      const first = begin + (lineTokens[line] ?? end - begin);
      const next = begin + (lineTokens[line + 1] ?? end - begin);
      let units = 0;
      for (; this.tokenAt(at) < next; at++) units += this.kept.counts[at] ?? 0;
      if (next > first) shares[line] = units / ((next - first) * this.heads);
    }
    return shares;
  }

  private tokenAt(at: number): number {
    return this.kept.tokenIndices[at] ?? Infinity;
  }

  /** Where the first token from this one on is in the list. */
  private firstFrom(tokenIndex: number): number {
    const { tokenIndices } = this.kept;
    let low = 0;
    let high = tokenIndices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tokenIndices[middle] ?? Infinity) < tokenIndex) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
