import { describe, expect, it } from 'vitest';
import {
  whyUnavailable,
  whyUnavailableFor,
  type Circumstances,
  type Command,
} from '../../../../extension/commands/availability.js';
import { english } from '../english.js';
import { memory, progress, rootStatus } from '../status/situations.js';

const all: readonly Command[] = [
  'askRepository',
  'deepAsk',
  'read',
  'update',
  'pause',
  'cancel',
  'chooseModel',
  'showPlan',
  'showCoverage',
  'unload',
  'trainHeads',
  'pauseTraining',
  'discardTraining',
];

function circumstances(particulars: Partial<Circumstances> = {}): Circumstances {
  return {
    life: { state: 'running' },
    status: { model: 'nano', roots: [] },
    hasFolder: true,
    isTrusted: true,
    hasBegunTraining: false,
    ...particulars,
  };
}

describe('whyUnavailable', () => {
  it.each(all)('gives the reason of the sidecar for %s when that is stopped, and offers a restart', (command) => {
    const stopped = circumstances({ life: { state: 'stopped', reason: 'It ran out of memory.' } });
    expect(whyUnavailable(command, stopped, english)).toEqual({ reason: 'It ran out of memory.', remedy: 'restart' });
  });

  it('lets everything wait for a sidecar that starts', () => {
    for (const command of ['askRepository', 'read', 'chooseModel'] as const) {
      expect(whyUnavailable(command, circumstances({ life: { state: 'starting' } }), english)).toBeUndefined();
    }
  });

  it('asks for a folder where one is needed, and only there', () => {
    const empty = circumstances({ hasFolder: false });
    const asking = all.filter((command) => whyUnavailable(command, empty, english)?.remedy === 'openFolder');
    const others = all.filter((command) => !asking.includes(command));
    expect(others).toEqual(['chooseModel', 'unload', 'trainHeads', 'pauseTraining', 'discardTraining']);
  });

  it('pauses only what is being done, and cancels that and what is paused', () => {
    const inState = (state: 'idle' | 'updating' | 'paused'): Circumstances =>
      circumstances({ status: { model: 'nano', roots: [rootStatus({ state, progress })] } });
    expect(whyUnavailable('pause', inState('idle'), english)?.reason).toContain('nothing to pause');
    expect(whyUnavailable('pause', inState('paused'), english)?.reason).toContain('nothing to pause');
    expect(whyUnavailable('pause', inState('updating'), english)).toBeUndefined();
    expect(whyUnavailable('cancel', inState('idle'), english)?.reason).toContain('nothing to cancel');
    expect(whyUnavailable('cancel', inState('paused'), english)).toBeUndefined();
  });

  it('trains only where folders are trusted, and offers to trust them', () => {
    expect(whyUnavailable('trainHeads', circumstances({ isTrusted: false }), english)?.remedy).toBe('trust');
    expect(whyUnavailable('trainHeads', circumstances(), english)).toBeUndefined();
    expect(whyUnavailable('read', circumstances({ isTrusted: false }), english)).toBeUndefined();
  });

  it('pauses only a training that runs, and gives up that and one that was begun', () => {
    const training = { model: 'nano', out: '/heads', phase: 'label', step: 1, steps: 3 } as const;
    const running = circumstances({ status: { model: 'nano', roots: [], training } });
    const begun = circumstances({ hasBegunTraining: true });
    expect(whyUnavailable('pauseTraining', running, english)).toBeUndefined();
    expect(whyUnavailable('pauseTraining', begun, english)?.reason).toContain('nothing to pause');
    expect(whyUnavailable('discardTraining', running, english)).toBeUndefined();
    expect(whyUnavailable('discardTraining', begun, english)).toBeUndefined();
    expect(whyUnavailable('discardTraining', circumstances(), english)?.reason).toContain('nothing to give up');
  });

  it('unloads only a model that is loaded', () => {
    expect(whyUnavailable('unload', circumstances(), english)?.reason).toContain('No model is loaded');
    const engine = {
      model: 'nano',
      backend: 'cpu',
      backendReason: 'it was chosen',
      precision: 'int8',
      policy: 'locret',
      weightBytes: 1,
      cacheBytes: 1,
    };
    expect(
      whyUnavailable('unload', circumstances({ status: { model: 'nano', engine, roots: [] } }), english),
    ).toBeUndefined();
  });
});

describe('whyUnavailableFor', () => {
  it('shows coverage only of what was read in this session', () => {
    expect(whyUnavailableFor('showCoverage', rootStatus({ snapshot: true }), english)?.remedy).toBe('read');
    expect(whyUnavailableFor('showCoverage', rootStatus({ memory }), english)).toBeUndefined();
  });

  it('updates only what was read some time', () => {
    expect(whyUnavailableFor('update', rootStatus(), english)?.remedy).toBe('read');
    expect(whyUnavailableFor('update', rootStatus({ snapshot: true }), english)).toBeUndefined();
    expect(whyUnavailableFor('update', rootStatus({ memory }), english)).toBeUndefined();
  });

  it('stands in the way of nothing else', () => {
    const others = all.filter((command) => command !== 'showCoverage' && command !== 'update');
    for (const command of others) expect(whyUnavailableFor(command, rootStatus(), english)).toBeUndefined();
  });
});
