import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../../extension/sidecar/settings.js';

function read(values: Record<string, unknown>): ReturnType<typeof readSettings> {
  return readSettings((name) => values[name]);
}

describe('readSettings', () => {
  it('leaves out what the sidecar is to choose', () => {
    const { settings, refused } = read({
      backend: 'auto',
      precision: 'auto',
      budget: 'auto',
      chunk: 'auto',
      stabilizers: 'auto',
      policy: 'auto',
      recallTokens: 'auto',
      temperature: 'model',
      model: '',
      heads: '',
    });
    expect(settings).toEqual({});
    expect(refused).toEqual([]);
  });

  it('passes on what the user chose, zeros and empty lists too', () => {
    const chosen = {
      model: '/models/my model',
      heads: '/models/heads.safetensors',
      backend: 'cpu',
      precision: 'int4',
      budget: 2048,
      chunk: 512,
      stabilizers: 0,
      policy: 'sink-recent',
      recallTokens: 0,
      include: ['src/'],
      exclude: [],
      autoUpdateSeconds: 0,
      idleUnloadMinutes: 0.5,
      temperature: 0,
      answerTokens: 64,
      logLevel: 'debug',
    };
    expect(read(chosen)).toEqual({ settings: chosen, refused: [] });
  });

  it.each([
    ['budget', 0],
    ['budget', '2048'],
    ['chunk', 1.5],
    ['stabilizers', -1],
    ['policy', 'newest'],
    ['precision', 'int2'],
    ['backend', 'tpu'],
    ['include', 'src/'],
    ['exclude', ['dist/', 3]],
    ['temperature', 6],
    ['idleUnloadMinutes', Number.NaN],
    ['autoUpdateSeconds', -5],
    ['logLevel', 'verbose'],
    ['model', 7],
  ])('refuses %s = %j by name and goes on without it', (name, value) => {
    expect(read({ [name]: value, answerTokens: 10 })).toEqual({
      settings: { answerTokens: 10 },
      refused: [`locret.${name}`],
    });
  });
});
