import { describe, expect, it } from 'vitest';
import { statusTooltip, tooltipCommands } from '../../../../extension/status/status-tooltip.js';
import type { Situation } from '../../../../extension/status/status-text.js';
import { english } from '../english.js';
import { memory, progress, rootStatus, situation } from './situations.js';

const minutes = 60_000;

function tooltip(shown: Situation): string {
  return statusTooltip(shown, 5 * minutes, english);
}

function commandsIn(markdown: string): readonly string[] {
  return [...markdown.matchAll(/\(command:([\w.]+)/g)].map(([, command = '']) => command);
}

describe('statusTooltip', () => {
  it('shows coverage, how full the cache is and how old the memory is', () => {
    const text = tooltip(situation([rootStatus({ state: 'ready', memory })]));
    expect(text).toContain('412 files read · 8 skipped · 1,234,567 tokens');
    expect(text).toContain('▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 128 cache units per KV head, budget 256');
    expect(text).toContain('Read 5 minutes ago');
  });

  it('shows the loaded model with its backend, precision, policy and bytes', () => {
    const engine = {
      model: 'nano',
      backend: 'cpu',
      backendReason: 'it was chosen',
      precision: 'int8',
      policy: 'key-difference',
      weightBytes: 12 * 2 ** 20,
      cacheBytes: 6.1 * 2 ** 20,
    };
    const text = tooltip(situation([], { status: { model: 'nano', engine, roots: [] } }));
    expect(text).toContain('**nano** · cpu · int8 · policy key\\-difference');
    expect(text).toContain('12 MB of weights, 6.1 MB of cache');
    expect(commandsIn(text)).toContain('locret.unload');
  });

  it('shows a training, where its heads go and what they are worth so far, with what can be done', () => {
    const training = { model: 'nano', out: '/data/heads.safetensors', phase: 'evaluate', step: 3, steps: 9 } as const;
    const shown = (overlap: object): string =>
      tooltip(situation([], { status: { model: 'nano', roots: [], training: { ...training, ...overlap } } }));
    expect(shown({})).toContain('**Training retaining heads for nano**');
    expect(shown({})).not.toContain('overlap');
    expect(shown({ overlap: 0.2567 })).toContain('overlap 0.257 on samples held out (chance 0.10)');
    expect(commandsIn(shown({}))).toEqual(expect.arrayContaining(['locret.pauseTraining', 'locret.discardTraining']));
  });

  it('says that no model is loaded, and offers no unloading then', () => {
    const text = tooltip(situation([rootStatus()]));
    expect(text).toContain('not loaded');
    expect(commandsIn(text)).not.toContain('locret.unload');
  });

  it('offers what can be done with a root in its state, for that root', () => {
    const argument = encodeURIComponent('["file:///code/app"]');
    const offers = (state: Parameters<typeof rootStatus>[0]): string => tooltip(situation([rootStatus(state)]));
    expect(offers({ state: 'idle' })).toContain(`(command:locret.read?${argument})`);
    expect(offers({ state: 'reading', progress })).toContain(`(command:locret.pause?${argument})`);
    expect(offers({ state: 'paused', progress })).toContain(`(command:locret.cancel?${argument})`);
    expect(commandsIn(offers({ state: 'ready', memory }))).not.toContain('locret.update');
    expect(offers({ state: 'ready', memory: { ...memory, changed: 1 } })).toContain('Update: 1 file changed');
  });

  it('says why the sidecar is stopped, and offers nothing that needs it', () => {
    const stopped = { life: { state: 'stopped', reason: 'It ran out of memory.' } } as const;
    const text = tooltip(situation([rootStatus({ state: 'ready', memory })], stopped));
    expect(text).toContain('It ran out of memory');
    expect(commandsIn(text)).toEqual(['locret.restart', 'locret.showLog', 'locret.openWalkthrough']);
  });

  it('links to no command that it is not trusted with', () => {
    const everything = [
      situation([rootStatus({ state: 'reading', progress, memory }), rootStatus({ state: 'paused', progress })]),
      situation([rootStatus({ state: 'ready', memory: { ...memory, changed: 2 } })], { isTrusted: false }),
      situation([], { hasFolder: false, life: { state: 'stopped', reason: 'Ended.' } }),
    ];
    const commands = everything.map(tooltip).flatMap(commandsIn);
    expect(commands.filter((command) => !tooltipCommands.some((known) => known === command))).toEqual([]);
    expect(commands).toContain('locret.restart');
  });

  it('names the folders that cannot be read, and why', () => {
    const text = tooltip(situation([rootStatus({ state: 'ready', memory })], { unreadableFolders: ['remote'] }));
    expect(text).toContain('**remote** · not on this machine’s disk');
  });

  it('says what does not count in a folder that is not trusted', () => {
    expect(tooltip(situation([rootStatus()], { isTrusted: false }))).toContain('Restricted mode');
    expect(tooltip(situation([rootStatus()]))).not.toContain('Restricted mode');
  });

  it('shows names of folders, models and errors as they are, never as Markdown', () => {
    const root = rootStatus({
      name: '[x](command:evil)',
      state: 'failed',
      error: { code: 'engine-failed', message: '<b>no</b>', remedy: '$(gear) *Restart*' },
    });
    const text = tooltip(situation([root], { status: { model: '[m](https://example.org)', roots: [root] } }));
    expect(commandsIn(text)).not.toContain('evil');
    expect(text).not.toContain('](https:');
    expect(text).not.toContain('<b>');
    expect(text).not.toContain('$(gear)');
  });
});
