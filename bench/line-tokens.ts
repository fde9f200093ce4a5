import type { TokenRange } from '../server/engine/engine.js';
import type { FileMap } from '../server/memory/source-map.js';

/** The tokens of a file's line, 1-based; of line 1 they begin where the file's header ends. */
export function lineTokens(map: FileMap, line: number): TokenRange {
  const beginOf = (at: number): number => map.begin + (map.lineTokens[at - 1] ?? map.end - map.begin);
  return { begin: beginOf(line), end: beginOf(line + 1) };
}
