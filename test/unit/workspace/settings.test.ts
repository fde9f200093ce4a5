import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { settings } from '../../../server/contract/settings.js';
import { isLocretError } from '../../../server/errors.js';
import { makeSameMemories, memorySettings, parseSettings } from '../../../server/workspace/settings.js';

/** A value of each setting that an editor may send, other than its default. */
const others = {
  model: '/models/other',
  heads: '/heads.safetensors',
  backend: 'cpu',
  precision: 'int8',
  cachePrecision: 'int4',
  idleUnloadMinutes: 1,
  budget: 64,
  chunk: 16,
  stabilizers: 8,
  policy: 'sink-recent',
  allocation: 'pyramid',
  structure: 'headers',
  include: ['src/'],
  exclude: ['dist/'],
  autoUpdateSeconds: 0,
  recallTokens: 0,
  temperature: 0.5,
  answerTokens: 10,
  logLevel: 'debug',
};

function refusalOf(value: unknown): string {
  try {
    parseSettings(value);
  } catch (error) {
    if (isLocretError(error, 'invalid-argument')) return error.message;
  }
  throw new Error('nothing was refused');
}

describe('settings that a client sent', () => {
  it('are taken, with the defaults of what is left out, null or unknown', () => {
    expect(parseSettings(others)).toMatchObject({ ...others, trusted: true });
    expect(parseSettings({ answerTokens: null, colour: 'red', trusted: false })).toMatchObject({
      model: 'nano',
      include: [],
      answerTokens: 256,
      idleUnloadMinutes: 30,
      maxFileSize: 1024 * 1024,
      trusted: false,
    });
    expect(parseSettings(undefined).budget).toBeUndefined();
  });

  it('leave out what only the command line may say', () => {
    expect(parseSettings({ local: 7, threads: 1, maxFileSize: 5 })).toEqual(parseSettings({}));
  });

  it.each([
    [{ temperature: 6 }, 'The setting locret.temperature is 6; expected a number between 0 and 5.'],
    [{ policy: 'h2o' }, 'The setting locret.policy is "h2o"; expected one of locret, key-difference, sink-recent.'],
    [{ include: 'src/' }, 'The setting locret.include is "src/"; expected a list of texts.'],
    [{ trusted: 1 }, 'The setting locret.trusted is 1; expected true or false.'],
  ])('are refused when they are %j', (value, message) => {
    expect(refusalOf(value)).toBe(message);
  });
});

describe('two choices', () => {
  it.each(Object.entries(others))(
    'that differ in %s make the same memories only where the table says so',
    (name, value) => {
      const setting = Object.entries(settings).find(([known]) => known === name)?.[1];
      const makesAnother = setting !== undefined && 'makesMemory' in setting;
      expect(makeSameMemories(parseSettings({}), parseSettings({ [name]: value }))).toBe(!makesAnother);
    },
  );
});

describe('what a memory is told', () => {
  it('has absolute places, and sizes in bytes', async () => {
    const chosen = parseSettings({ heads: '~/heads.safetensors', exclude: ['dist/'] });
    expect(await memorySettings(chosen, '/repo')).toMatchObject({
      repo: '/repo',
      heads: path.join(os.homedir(), 'heads.safetensors'),
      survey: { maxFileBytes: 1024 * 1024, include: [], exclude: ['dist/'] },
      threads: os.availableParallelism(),
    });
  });
});
