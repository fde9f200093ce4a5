import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLocretError } from '../../../server/errors.js';
import { headLabelsKey } from '../../../server/model/retaining-heads.js';
import { writeSafetensors } from '../../../server/model/safetensors-writer.js';
import { bundledModels, listModels, resolveModel } from '../../../server/model/catalog.js';
import { fixture, modelFolder } from './model-folder.js';

/** A folder of models: a whole one, a damaged one, and what is no model. */
function modelsFolder(): string {
  const folder = modelFolder({ 'notes.txt': 'not a model' });
  cpSync(fixture('qwen3'), path.join(folder, 'whole'), { recursive: true });
  writeFileSync(path.join(folder, 'whole', 'README.md'), '---\nlicense: mit\n---\n\n# Whole: a tiny model\n\nText.\n');
  writeFileSync(path.join(folder, 'whole', 'retaining_heads.safetensors'), '');
  mkdirSync(path.join(folder, 'damaged'));
  writeFileSync(path.join(folder, 'damaged', 'config.json'), '{"model_type": "gpt2"}');
  mkdirSync(path.join(folder, 'empty'));
  return folder;
}

describe('listModels', () => {
  it('describes whole models and says what is wrong with others', async () => {
    const folder = modelsFolder();
    const [damaged, whole, ...others] = await listModels([folder, path.join(folder, 'missing')]);
    expect(others).toEqual([]);
    expect(damaged).toMatchObject({ name: 'damaged', folder: path.join(folder, 'damaged') });
    expect(damaged).toHaveProperty('problem', expect.stringContaining('"gpt2" is not supported'));
    expect(whole).toEqual({
      name: 'whole',
      folder: path.join(folder, 'whole'),
      description: 'Whole: a tiny model',
      family: 'qwen3',
      parameters: 55_200,
      storedBytes: 4 * 55_200,
      heads: true,
    });
  });

  it('tells with which labels heads were trained, where their file does', async () => {
    const folder = modelsFolder();
    const tensor = { name: 'x', dtype: 'F32', shape: [1], data: () => [new Float32Array(1)] } as const;
    const file = path.join(folder, 'whole', 'retaining_heads.safetensors');
    await writeSafetensors(file, [tensor], { [headLabelsKey]: 'reconstruction' });
    const [, whole] = await listModels([folder]);
    expect(whole).toMatchObject({ heads: true, headLabels: 'reconstruction' });
  });

  it('counts as many parameters as are stored, for every family', async () => {
    const models = await listModels([fixture('')]);
    const halfWidth = ['llama-tied-f16', 'llama-sharded-bf16'];
    expect(models.length).toBeGreaterThan(8);
    for (const model of models) {
      if (!('parameters' in model)) throw new Error(`${model.name}: ${model.problem}`);
      const bytes = model.parameters * (halfWidth.includes(model.name) ? 2 : 4);
      expect([model.name, bytes]).toEqual([model.name, model.storedBytes]);
    }
  });

  it('takes the first of two models with one name', async () => {
    const [first, second] = [modelsFolder(), modelsFolder()];
    const models = await listModels([first, second]);
    expect(models.map((model) => path.dirname(model.folder))).toEqual([first, first]);
  });
});

describe('resolveModel', () => {
  it('finds a model by name and by folder', async () => {
    const folder = modelsFolder();
    expect(await resolveModel('whole', [folder])).toBe(path.join(folder, 'whole'));
    expect(await resolveModel(path.relative(process.cwd(), fixture('llama')), [folder])).toBe(fixture('llama'));
  });

  it('lists the names there are when there is no such model', async () => {
    const folder = modelsFolder();
    const failure = await resolveModel('hole', [folder]).catch((error: unknown) => error);
    expect(isLocretError(failure, 'model-not-found')).toBe(true);
    expect(failure).toHaveProperty('message', expect.stringMatching(/"hole".*damaged, whole/));
    await expect(resolveModel('../whole', [path.join(folder, 'empty')])).rejects.toThrow('no model "../whole"');
  });
});

describe('bundledModels', () => {
  it('holds the bundled model', async () => {
    const models = await listModels([bundledModels()]);
    expect(models).toContainEqual(expect.objectContaining({ name: 'nano', family: 'qwen3', heads: true }));
  });
});
