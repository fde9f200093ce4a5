import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../server/engine/random.js';
import { openModel } from '../../../server/model/model.js';
import { drawSample, type DrawOptions } from '../../../server/training/draw-sample.js';
import type { TrainingSample } from '../../../server/training/sample.js';
import { findTrainingFiles } from '../../../server/training/training-files.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const model = await openModel(path.join(root, 'models/nano'));
const { training } = await findTrainingFiles([path.join(root, 'server/repository')], {});
const { tokenizer } = model;

function draw(seed: number, options: Partial<DrawOptions> = {}): Promise<TrainingSample> {
  return drawSample({
    model,
    files: training,
    tokens: 400,
    questions: 5,
    labels: 'published',
    answers: 'source',
    random: seededRandom(seed),
    ...options,
  });
}

const textOf = (tokens: ArrayLike<number> | undefined): string => tokenizer.decode(Array.from(tokens ?? []));

describe('drawSample', () => {
  it('writes pieces of files as a repository is read, within its length', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const { memory, exchanges } = await draw(seed);
      expect(memory.length).toBeLessThanOrEqual(400);
      expect(textOf(memory)).toMatch(/^<\|repo_name\|>repository\n<\|file_sep\|>[\w.-]+\.ts\n/);
      expect(exchanges.length).toBeGreaterThan(0);
      expect(exchanges.length).toBeLessThanOrEqual(5);
    }
  });

  it('asks about what stands in the text: answers quote it', async () => {
    let answers = 0;
    for (let seed = 0; seed < 12; seed++) {
      const { memory, exchanges } = await draw(seed);
      const text = textOf(memory);
      for (const { answer } of exchanges) {
        for (const [, quoted = ''] of textOf(answer).matchAll(/`([^`]+)`/g)) {
          expect(text).toContain(quoted);
          answers += 1;
        }
      }
    }
    expect(answers).toBeGreaterThan(20);
  });

  it('is the same for the same seed, and another for another one', async () => {
    expect(await draw(3)).toEqual(await draw(3));
    expect(await draw(3)).not.toEqual(await draw(4));
  });

  it('leaves the answer to the model where it is to answer itself', async () => {
    const { exchanges } = await draw(1, { answers: 'model' });
    expect(exchanges.map(({ answer }) => answer)).toEqual(exchanges.map(() => undefined));
  });

  it('repeats the whole text in parts for reconstruction', async () => {
    const { memory, exchanges } = await draw(2, { labels: 'reconstruction' });
    expect(exchanges.length).toBeGreaterThan(1);
    expect(exchanges.flatMap(({ answer }) => answer ?? [])).toEqual([...memory]);
    expect(textOf(exchanges[0]?.prompt)).toContain('Repeat the previous context exactly.');
    expect(textOf(exchanges[1]?.prompt)).toContain('starting with');
  });

  it('says that nothing can be asked where files hold no definitions', async () => {
    await expect(
      draw(0, { files: training.filter(({ file }) => file.path === 'languages.ts'), tokens: 50 }),
    ).rejects.toMatchObject({
      code: 'repository-empty',
    });
  });
});
