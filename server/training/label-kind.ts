/**
 * What a unit is worth. `published`: the largest logit that an answer's tokens give to it. `contribution`: the largest
 * share of a layer's output that it has at an answer's tokens. `reconstruction`: the same while the model repeats the text
 * (KVzip, arXiv 2505.23416). Shares can be compared over heads, logits cannot.
 */
export type LabelKind = 'published' | 'contribution' | 'reconstruction';
export const labelKinds = ['published', 'contribution', 'reconstruction'] as const satisfies readonly LabelKind[];

/** Whether labels of a kind need the hidden states of the observed tokens. */
export function observesHidden(kind: LabelKind): boolean {
  return kind !== 'published';
}
