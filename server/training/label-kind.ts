import type { LabelKind } from '../contract/words.js';

/** Whether labels of a kind need the hidden states of the observed tokens. */
export function observesHidden(kind: LabelKind): boolean {
  return kind !== 'published';
}
