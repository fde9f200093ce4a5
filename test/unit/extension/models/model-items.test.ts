import { describe, expect, it } from 'vitest';
import type { ModelEntry } from '../../../../server/contract/protocol.js';
import { modelItem } from '../../../../extension/models/model-items.js';
import { english } from '../english.js';

const nano: ModelEntry = {
  name: 'nano',
  folder: '/models/nano',
  family: 'qwen3',
  parameters: 3_100_000,
  storedBytes: 12 * 2 ** 20,
  heads: true,
};

const bytes = { weights: 1, packing: 1, cache: 1, activations: 1, program: 1, peak: 312 * 2 ** 20, free: 12 * 2 ** 30 };

describe('modelItem', () => {
  it('says what a model is, and marks the chosen one', () => {
    expect(modelItem(nano, true, undefined, english)).toEqual({
      label: '$(check) nano',
      description: 'qwen3 · 3.1 M parameters · 12 MB',
      detail: 'trained retaining heads',
    });
    expect(modelItem(nano, false, undefined, english).label).toBe('nano');
  });

  it('says what it will take of the free memory, once that is known', () => {
    expect(modelItem(nano, false, { bytes }, english).detail).toBe(
      'trained retaining heads · takes 312 MB of 12 GB that are free',
    );
  });

  it('says why it cannot run', () => {
    expect(modelItem(nano, false, { refusal: 'It needs 20 GB.' }, english).detail).toContain('It needs 20 GB.');
  });

  it('warns of a model that has no retaining heads', () => {
    expect(modelItem({ ...nano, heads: false }, false, undefined, english).detail).toContain('no retaining heads');
  });

  it('keeps a model that cannot be used in the list, with its problem', () => {
    const broken: ModelEntry = { name: 'broken', folder: '/models/broken', problem: 'config.json has no layers.' };
    expect(modelItem(broken, false, undefined, english)).toEqual({
      label: '$(warning) broken',
      description: 'cannot be used',
      detail: 'config.json has no layers.',
    });
  });
});
