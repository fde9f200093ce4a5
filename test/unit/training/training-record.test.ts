import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { trainingReport } from '../../../server/service/reports/training-report.js';
import { writeSafetensors } from '../../../server/model/safetensors-writer.js';
import { readTrainingRecord, trainingRecordKey } from '../../../server/training/training-record.js';
import { modelFolder } from '../model/model-folder.js';

const record = {
  model: 'nano',
  repositories: ['or|chard', 'cellar'],
  trainingFiles: 1200,
  heldOutFiles: 130,
  tokens: 512,
  options: {
    input: 'qkv',
    labels: 'reconstruction',
    answers: 'source',
    width: 256,
    steps: 3000,
    warmup: 300,
    rate: 5e-4,
    questions: 12,
    seed: 0,
    precision: 'float32',
  },
  course: [
    { step: 0, heldOut: { regression: 7.5, overlap: 0.1041 } },
    { step: 3000, learned: { regression: 1.25, overlap: 0.3 }, heldOut: { regression: 1.5, overlap: 0.2567 } },
  ],
};

async function heads(metadata: Readonly<Record<string, string>>): Promise<string> {
  const file = path.join(modelFolder({}), 'heads.safetensors');
  const tensor = { name: 'x', dtype: 'F32', shape: [1], data: () => [new Float32Array(1)] } as const;
  await writeSafetensors(file, [tensor], metadata);
  return file;
}

describe('the record of a training', () => {
  it('is read back from the heads', async () => {
    expect(readTrainingRecord(await heads({ [trainingRecordKey]: JSON.stringify(record) }))).toEqual(record);
  });

  it('is not in heads of others', async () => {
    expect(readTrainingRecord(await heads({ format: 'pt' }))).toBeUndefined();
  });

  it.each(['', 'null', '{"model":"nano"}', JSON.stringify({ ...record, course: [{ step: 'x' }] })])(
    'of another form is refused: %s',
    async (text) => {
      const file = await heads({ [trainingRecordKey]: text });
      expect(() => readTrainingRecord(file)).toThrow(expect.objectContaining({ code: 'heads-corrupt' }));
    },
  );
});

describe('the report of a training', () => {
  it('says with which labels it was, what it was trained on, and what it gave', async () => {
    const text = trainingReport(await heads({ [trainingRecordKey]: JSON.stringify(record) }));
    expect(text).toContain('# Retaining heads for nano');
    expect(text).toContain('**0.257** of the tenth');
    expect(text).toContain('before training it was 0.104');
    expect(text).toContain('| labels | reconstruction |');
    expect(text).toContain('or\\|chard, cellar');
    expect(text).toContain('| 3,000 | 1.250 | 0.300 | 1.500 | 0.257 |');
  });

  it('of heads of others, or of a path that is not absolute, is refused', async () => {
    const file = await heads({ format: 'pt' });
    expect(() => trainingReport(file)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => trainingReport('heads.safetensors')).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});
