import { describe, expect, it } from 'vitest';
import { BegunTrainingStore, trainParams, type BegunTraining } from '../../../../extension/training/training-choice.js';

const begun: BegunTraining = {
  model: 'nano',
  folders: ['/code/orchard', '/code/cellar'],
  labels: 'published',
  input: 'hidden',
  steps: 300,
  precision: 'int8',
  out: '/data/heads.safetensors',
};

/** What VS Code keeps: values as JSON has them. */
function storage(value?: unknown): {
  get: (key: string) => unknown;
  update: (key: string, to: unknown) => Promise<void>;
} {
  const kept = new Map<string, string>();
  if (value !== undefined) kept.set('locret.begunTraining', JSON.stringify(value));
  const parse: (text: string) => unknown = JSON.parse;
  return {
    get: (key) => {
      const text = kept.get(key);
      return text === undefined ? undefined : parse(text);
    },
    update: (key, to) => {
      if (to === undefined) kept.delete(key);
      else kept.set(key, JSON.stringify(to));
      return Promise.resolve();
    },
  };
}

describe('the training that was begun last', () => {
  it('is kept until it is cleared, with and without a chosen precision', async () => {
    for (const training of [begun, { ...begun, precision: undefined }]) {
      const kept = storage();
      await new BegunTrainingStore(kept).keep(training);
      expect(new BegunTrainingStore(kept).get()).toEqual(training);
      await new BegunTrainingStore(kept).clear();
      expect(new BegunTrainingStore(kept).get()).toBeUndefined();
    }
  });

  it.each([null, 'text', { ...begun, labels: 'other' }, { ...begun, folders: [3] }, { ...begun, out: undefined }])(
    'counts as none when it is of another form: %j',
    (value) => {
      expect(new BegunTrainingStore(storage(value)).get()).toBeUndefined();
    },
  );
});

describe('what the sidecar is told', () => {
  it('is the whole choice, the same when it goes on', () => {
    expect(trainParams(begun, false)).toEqual({
      model: 'nano',
      repositories: ['/code/orchard', '/code/cellar'],
      options: { labels: 'published', input: 'hidden', steps: 300, precision: 'int8' },
      fresh: false,
      out: '/data/heads.safetensors',
    });
  });

  it('leaves the file and the precision to the sidecar where none was chosen', () => {
    const params = trainParams({ ...begun, out: undefined, precision: undefined }, true);
    // What goes over the wire is JSON.
    expect(JSON.parse(JSON.stringify(params))).not.toHaveProperty('out');
    expect(params).toMatchObject({
      fresh: true,
      options: expect.not.objectContaining({ precision: 'int8' }) as unknown,
    });
  });
});
