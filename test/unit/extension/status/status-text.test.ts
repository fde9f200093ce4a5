import { describe, expect, it } from 'vitest';
import type { RootStatus } from '../../../../server/contract/protocol.js';
import { statusText } from '../../../../extension/status/status-text.js';
import { english } from '../english.js';
import { memory, progress, rootStatus, situation } from './situations.js';

function textOf(particulars: Partial<RootStatus>): string {
  return statusText(situation([rootStatus(particulars)]), english).text;
}

describe('statusText', () => {
  it.each<[string, Partial<RootStatus>]>([
    ['$(circle-large-outline) Locret', { state: 'idle' }],
    ['$(loading~spin) Locret: loading', { state: 'loading' }],
    ['$(loading~spin) Locret: reading 43 % · 13,000 tokens/s · 20 s', { state: 'reading', progress }],
    ['$(loading~spin) Locret: reading', { state: 'reading' }],
    ['$(sync~spin) Locret: updating 43 %', { state: 'updating', progress }],
    ['$(debug-pause) Locret: paused at 43 %', { state: 'paused', progress }],
    ['$(pass) Locret', { state: 'ready', memory }],
    ['$(history) Locret: 3 changed', { state: 'ready', memory: { ...memory, changed: 3 } }],
    ['$(loading~spin) Locret: answering', { state: 'ready', memory, answering: true }],
    ['$(error) Locret: failed', { state: 'failed' }],
  ])('says %s', (text, particulars) => {
    expect(textOf(particulars)).toBe(text);
  });

  it('puts everything into words for screen readers, without icons', () => {
    const { label } = statusText(situation([rootStatus({ state: 'reading', progress })]), english);
    expect(label).toBe('Locret. app: reading: 43 % · 120 of 420 files · 13,000 tokens/s · 20 s left');
  });

  it('says that the sidecar is stopped whatever was known of its roots, and why', () => {
    const stopped = { life: { state: 'stopped', reason: 'It ended twice.' } } as const;
    expect(statusText(situation([rootStatus({ state: 'ready', memory })], stopped), english)).toEqual({
      text: '$(error) Locret: stopped',
      label: 'Locret. It ended twice.',
      severity: 'error',
    });
  });

  it('warns while it restarts, and marks what failed', () => {
    const restarting = { life: { state: 'restarting', reason: 'It ended.' } } as const;
    expect(statusText(situation([], restarting), english).severity).toBe('warning');
    expect(statusText(situation([rootStatus({ state: 'failed' })]), english).severity).toBe('error');
    expect(statusText(situation([rootStatus({ state: 'ready', memory })]), english).severity).toBe('none');
  });

  it('does not wait for a sidecar that has nothing to do without a folder', () => {
    const empty = situation([], { life: { state: 'starting' }, hasFolder: false });
    expect(statusText(empty, english).text).toBe('$(circle-large-outline) Locret');
  });

  it('tells of a training unless a root is at work, in a window without a folder too', () => {
    const training = { model: 'nano', out: '/heads', phase: 'learn', step: 12, steps: 100, loss: 1.234 } as const;
    const during = (roots: readonly RootStatus[], hasFolder = true) =>
      statusText(
        situation(roots, { hasFolder, status: { model: 'nano', roots, training: { ...training, secondsLeft: 65 } } }),
        english,
      );
    expect(during([], false)).toMatchObject({
      text: '$(sync~spin) Locret: training 12 % · 1 min 05 s',
      label: 'Locret. Training retaining heads for nano: step 12 of 100 · loss 1.23 · 1 min 05 s left',
    });
    expect(during([rootStatus({ state: 'ready', memory })]).text).toContain('training 12 %');
    expect(during([rootStatus({ state: 'reading', progress })]).text).toContain('reading 43 %');
    expect(during([rootStatus({ state: 'ready', memory, answering: true })]).text).toContain('answering');
  });

  it('tells of the busy root first, then of the active editor’s', () => {
    const first = rootStatus({ root: 'file:///a', name: 'a', state: 'paused', progress });
    const second = rootStatus({ root: 'file:///b', name: 'b', state: 'ready', memory });
    const busy = rootStatus({ root: 'file:///c', name: 'c', state: 'updating', progress });
    const active = { activeRoot: 'file:///b' };
    expect(statusText(situation([first, second, busy], active), english).label).toContain('c: updating');
    expect(statusText(situation([first, second], active), english).label).toContain('b: ready');
    expect(statusText(situation([first, second]), english).label).toContain('a: paused');
  });
});
