import type { Engine, LayerCache } from '../../engine/engine.js';
import type { TensorToWrite } from '../../model/safetensors-writer.js';

/** One tensor of a layer in a snapshot. */
export interface LayerTensor {
  readonly part: 'packed' | 'keys' | 'values' | 'scores' | 'tokenIndices';
  readonly dtype: 'U8' | 'F32' | 'I32';
  readonly shape: readonly number[];
}

/** What the layers of a cache hold. */
export interface LayerForm {
  readonly withScores: boolean;
  /** Bytes of keys and values as a GPU holds them; undefined: they are float32. */
  readonly packedBytes: number | undefined;
}

/**
 * What a layer's cache is stored as. Where layers differ, `lengths` stands before: that of each KV head, and the slot behind
 * their units.
 * @param units of all heads: `[kvHeads, length]`, or `[their sum]` where layers differ
 */
export function layerTensors(
  units: readonly number[],
  headDim: number,
  { withScores, packedBytes }: LayerForm,
): readonly LayerTensor[] {
  const numbers: readonly LayerTensor[] =
    packedBytes === undefined
      ? [
          { part: 'keys', dtype: 'F32', shape: [...units, headDim] },
          { part: 'values', dtype: 'F32', shape: [...units, headDim] },
        ]
      : [{ part: 'packed', dtype: 'U8', shape: [packedBytes] }];
  return [
    ...numbers,
    { part: 'scores', dtype: 'F32', shape: withScores ? units : [...units.slice(0, -1), 0] },
    { part: 'tokenIndices', dtype: 'I32', shape: units },
  ];
}

/**
 * The engine's cache as tensors to be written one after the other; one layer at a time is copied.
 * @param cache.first the first layer
 * @param cache.length of the engine's statistics
 * @param hashed takes note of what is written, and returns its bytes
 */
export async function tensorsOfLayers(
  engine: Engine,
  { first, length }: { readonly first: LayerCache; readonly length: number },
  hashed: (data: ArrayBufferView) => [Uint8Array],
): Promise<TensorToWrite[]> {
  const { shape } = engine.description;
  let copied: { readonly layer: number; readonly cache: LayerCache } = { layer: 0, cache: first };
  const cacheOf = async (layer: number): Promise<LayerCache> => {
    if (copied.layer !== layer) copied = { layer, cache: await engine.exportLayer(layer) };
    return copied.cache;
  };
  const form = { withScores: first.scores.length > 0, packedBytes: first.packed?.length };
  const tensors: TensorToWrite[] = [];
  for (let layer = 0; layer < shape.layers.length; layer++) {
    // The file's header tells every shape before any content: where layers differ each is copied twice.
    const cache = first.nextSlot === undefined ? first : await cacheOf(layer);
    const { nextSlot } = cache;
    const units = nextSlot === undefined ? [shape.kvHeads, length] : [shape.kvHeads * cache.length];
    if (nextSlot !== undefined) {
      const data = new Int32Array(shape.kvHeads + 1).fill(cache.length);
      data[shape.kvHeads] = nextSlot;
      const name = `layers.${layer}.lengths`;
      tensors.push({ name, dtype: 'I32', shape: [data.length], data: () => hashed(data) });
    }
    for (const { part, dtype, shape: dimensions } of layerTensors(units, shape.headDim, form)) {
      tensors.push({
        name: `layers.${layer}.${part}`,
        dtype,
        shape: dimensions,
        data: async function* () {
          yield* hashed((await cacheOf(layer))[part] ?? new Uint8Array(0));
        },
      });
    }
  }
  return tensors;
}
