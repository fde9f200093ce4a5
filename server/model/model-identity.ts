import { createHash } from 'node:crypto';
import type { Checkpoint } from './checkpoint.js';

/** The nearest bfloat16 of each number; of two as near the even one. */
function asBfloat16(numbers: Float32Array): Uint16Array {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  return Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
}

/**
 * Identity of a model, the same for every copy of it: what retaining heads that were made for a model are found by. It is
 * a digest of the sizes that heads depend on and of all norms. Norms stay plain numbers in every file format and however
 * the matrices are quantized; they are compared as bfloat16, the least exact form in which models are published. Neither
 * the family's name (llama.cpp calls Mistral's models llama) nor the vocabulary (some copies add tokens) is part of it.
 *
 * Models that were made of another one without touching its norms, as with low-rank adapters, have its identity.
 */
export function modelIdentity(weights: Checkpoint): string {
  const { layers, hidden, heads, kvHeads, headDim, feedForward } = weights.shape;
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ layers: layers.length, hidden, heads, kvHeads, headDim, feedForward }));
  for (const [layer, { norms }] of layers.entries()) {
    for (const norm of norms) hash.update(norm).update(asBfloat16(weights.norm(layer, norm)));
  }
  return hash.update(asBfloat16(weights.finalNorm())).digest('hex');
}
