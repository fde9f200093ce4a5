import type { Engine } from '../engine/engine.js';
import type { FileRetention } from './memory.js';
import type { FileMap, SourceMap } from './source-map.js';

/** Calls `count` for every cache unit of every layer and KV head with its token index; returns layers × KV heads. */
async function forEachUnit(engine: Engine, count: (tokenIndex: number) => void): Promise<number> {
  const { layers, kvHeads } = engine.description.shape;
  for (let layer = 0; layer < layers; layer++) {
    const { tokenIndices } = await engine.exportLayer(layer);
    tokenIndices.forEach(count);
  }
  return layers * kvHeads;
}

/** The share of each file's cache units that were kept, in stream order. */
export async function fileRetention(engine: Engine, map: SourceMap): Promise<FileRetention[]> {
  const kept = new Map<FileMap, number>();
  const heads = await forEachUnit(engine, (tokenIndex) => {
    const file = map.fileAt(tokenIndex);
    if (file !== undefined) kept.set(file, (kept.get(file) ?? 0) + 1);
  });
  return map.files.map((file) => {
    const tokens = file.end - file.begin;
    return { path: file.file.path, tokens, kept: tokens === 0 ? 0 : (kept.get(file) ?? 0) / (tokens * heads) };
  });
}

/** The share of each line's cache units that were kept: index 0 is line 1; NaN for lines on which no token begins. */
export async function lineRetention(engine: Engine, file: FileMap): Promise<Float32Array> {
  const perToken = new Int32Array(file.end - file.begin);
  const heads = await forEachUnit(engine, (tokenIndex) => {
    const token = tokenIndex - file.begin;
    if (token >= 0 && token < perToken.length) perToken[token] = (perToken[token] ?? 0) + 1;
  });
  const { lineTokens } = file;
  return Float32Array.from({ length: file.file.lines }, (_, line) => {
    const begin = lineTokens[line] ?? perToken.length;
    const end = lineTokens[line + 1] ?? perToken.length;
    let kept = 0;
    for (let token = begin; token < end; token++) kept += perToken[token] ?? 0;
    return begin === end ? NaN : kept / ((end - begin) * heads);
  });
}
