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
];

function circumstances(particulars: Partial<Circumstances> = {}): Circumstances {
  return { life: { state: 'running' }, status: { model: 'nano', roots: [] }, hasFolder: true, ...particulars };
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
    expect(all.filter((command) => !asking.includes(command))).toEqual(['chooseModel', 'unload']);
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
