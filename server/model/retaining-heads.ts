import { createHash } from 'node:crypto';
import type { RetainingHeads } from './checkpoint.js';
import type { Refusal } from './json-fields.js';
import { SafetensorsFile, type TensorEntry } from './safetensors.js';
import type { ModelShape } from './shape.js';

const TYPES = ['F32', 'F16', 'BF16'] as const;
const MAX_WIDTH = 1 << 16;

const DAMAGED_HEADS: Refusal = {
  code: 'heads-corrupt',
  remedy: 'Use retaining heads that were trained for this model, or none.',
};

/**
 * Reads the retaining heads of a model under the official names `model.layers.{i}.self_attn.fc1.weight` and
 * `fc2.weight` (arXiv 2410.01805, section 3.2). They are small and stay in memory; the file is closed again.
 * @throws LocretError heads-corrupt when the file is damaged or its tensors do not fit the model's shape
 */
export function openRetainingHeads(file: string, shape: ModelShape): RetainingHeads {
  const opened = SafetensorsFile.open(file, DAMAGED_HEADS);
  try {
    const name = (layer: number, part: string): string => `model.layers.${layer}.self_attn.${part}.weight`;
    const width = opened.tensors.get(name(0, 'fc1'))?.shape[0] ?? 0;
    if (opened.tensors.has(name(0, 'fc1')) && (width < 1 || width > MAX_WIDTH)) {
      throw opened.refuse(`has a tensor "${name(0, 'fc1')}" of ${width} rows; expected 1 to ${MAX_WIDTH}`);
    }
    if (opened.tensors.has(name(shape.layers, 'fc1'))) {
      throw opened.refuse(`has heads of a layer ${shape.layers}; the model has layers 0 to ${shape.layers - 1}`);
    }
    const inputs = (shape.heads + 2 * shape.kvHeads) * shape.headDim;
    const entries = Array.from({ length: shape.layers }, (_, layer) => ({
      first: opened.expect(name(layer, 'fc1'), [width, inputs], TYPES),
      second: opened.expect(name(layer, 'fc2'), [shape.kvHeads, width], TYPES),
    }));
    const read = (entry: TensorEntry, count: number): Float32Array => {
      const weights = opened.readFloats(entry, 0, count);
      if (!weights.every(Number.isFinite)) throw opened.refuse(`has a tensor "${entry.name}" with a number not finite`);
      return weights;
    };
    const layers = entries.map(({ first, second }) => ({
      first: read(first, width * inputs),
      second: read(second, shape.kvHeads * width),
    }));
    const of = (layer: number): { first: Float32Array; second: Float32Array } => {
      const weights = layers[layer];
      if (weights === undefined) throw new RangeError(`layer ${layer} of ${shape.layers}`);
      return weights;
    };
    const hash = createHash('sha256');
    for (const { first, second } of layers) hash.update(first).update(second);
    return {
      file,
      fingerprint: hash.digest('hex'),
      input: 'qkv',
      width,
      first: (layer) => of(layer).first,
      second: (layer) => of(layer).second,
    };
  } finally {
    opened.close();
  }
}
