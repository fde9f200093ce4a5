import { describe, expect, it } from 'vitest';
import { needsText, resultText, trainingText, workText } from '../../../../extension/training/training-text.js';
import { english } from '../english.js';

describe('the texts about a training', () => {
  const status = { model: 'nano', out: '/heads', phase: 'label', step: 120, steps: 3000 } as const;

  it('tell how far it is', () => {
    expect(trainingText({ ...status, phase: 'loading' }, english)).toBe('loading the model');
    expect(trainingText(status, english)).toBe('step 120 of 3,000');
    expect(trainingText({ ...status, loss: 1.2345, secondsLeft: 125 }, english)).toBe(
      'step 120 of 3,000 · loss 1.23 · 2 min 05 s left',
    );
    expect(trainingText({ ...status, step: 3000, secondsLeft: 0 }, english)).toBe('step 3,000 of 3,000');
  });

  it('tell before it begins what it takes', () => {
    const plan = {
      model: 'nano',
      out: '/heads',
      replaces: false,
      steps: 3000,
      tokens: 512,
      trainingFiles: 1200,
      heldOutFiles: 130,
      secondsPerStep: 1,
      secondsLeft: 3725,
      peakBytes: 260 * 2 ** 20,
    };
    expect(workText(plan, english)).toBe('3,000 steps on samples of 512 tokens, about 1 h 02 min');
    expect(needsText(plan, english)).toBe('1,200 files to train on, 130 to measure on; takes 260 MB of memory');
  });

  it('tell what it gave', () => {
    const course = [
      { step: 0, heldOut: { regression: 7, overlap: 0.1041 } },
      { step: 300, learned: { regression: 1.3, overlap: 0.25 }, heldOut: { regression: 1.2, overlap: 0.2567 } },
    ];
    expect(resultText('nano', course, english)).toBe(
      'Retaining heads for nano are trained. They find a share of 0.257 of the tenth that matters most; before it was ' +
        '0.104, and chance is 0.10.',
    );
  });
});
