import type { Definition } from '../../repository/source.js';
import { type FileMap, tokensOfLine } from '../contents/source-map.js';

/** Tokens of a file while it is being read: what they are, and which of their units stay before others. */
export interface MarkedTokens {
  readonly ids: Int32Array;
  /** 1 for those that do. */
  readonly favoured: Uint8Array<ArrayBuffer>;
}

/** Marks the lines that name definitions. @param parts all tokens of the file, its header's first */
export function markDefinitions(
  parts: readonly MarkedTokens[],
  map: FileMap,
  definitions: readonly Definition[],
): void {
  const favoured = new Uint8Array(map.end - map.begin);
  for (const { nameLine } of definitions) {
    const { begin, end } = tokensOfLine(map, nameLine);
    favoured.fill(1, begin, end);
  }
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < part.ids.length; i++) part.favoured[i] = (part.favoured[i] ?? 0) | (favoured[at + i] ?? 0);
    at += part.ids.length;
  }
}
