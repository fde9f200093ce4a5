import type { ModelShape } from '../../model/shape.js';
import type { Numbers } from './graph/graph-session.js';

/**
 * The queries of the query heads that share a KV head.
 * @param queries of all heads, `[tokens, heads * headDim]`
 * @param rows some of the tokens
 * @returns `[rows, group * headDim]`
 */
export function groupQueries(
  { heads, kvHeads, headDim }: ModelShape,
  queries: Float32Array,
  kvHead: number,
  rows: { readonly begin: number; readonly end: number },
): Numbers {
  const width = (heads / kvHeads) * headDim;
  const data = new Float32Array((rows.end - rows.begin) * width);
  for (let row = rows.begin; row < rows.end; row++) {
    const begin = row * heads * headDim + kvHead * width;
    data.set(queries.subarray(begin, begin + width), (row - rows.begin) * width);
  }
  return { data, dimensions: [rows.end - rows.begin, width] };
}
