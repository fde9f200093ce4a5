import { describe, expect, it } from 'vitest';
import { remediesFor } from '../../../../extension/failures/failure-remedies.js';

describe('remediesFor', () => {
  it('offers another model where the chosen one is the trouble', () => {
    expect(remediesFor('model-not-found')).toEqual(['chooseModel']);
    expect(remediesFor('out-of-memory')).toContain('chooseModel');
  });

  it('offers a restart only where the sidecar is gone', () => {
    expect(remediesFor('sidecar-stopped')).toEqual(['restart', 'showLog']);
    expect(remediesFor('engine-failed')).not.toContain('restart');
  });

  it('offers what makes room or trust where a training stands in the way, or is not allowed', () => {
    expect(remediesFor('training-under-way')).toEqual(['pauseTraining']);
    expect(remediesFor('not-trusted')).toEqual(['manageTrust']);
  });

  it('offers nothing for what the user wanted', () => {
    expect(remediesFor('cancelled')).toEqual([]);
  });
});
