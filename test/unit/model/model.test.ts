import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLocretError } from '../../../server/errors.js';
import type { GenerationSettings } from '../../../server/model/generation-settings.js';
import { readGenerationSettings } from '../../../server/model/hub-folder/generation-config.js';
import { readLocretSettings } from '../../../server/model/locret-settings.js';
import { openModel } from '../../../server/model/model.js';
import { openTokenizer } from '../../../server/model/hub-folder/open-tokenizer.js';
import { expectRefusal, fixture, modelFolder } from './model-folder.js';

describe('openModel', () => {
  it('opens a folder as published on the hub', async () => {
    const model = await openModel(path.relative(process.cwd(), fixture('qwen2')));
    expect(model).toMatchObject({
      place: fixture('qwen2'),
      name: 'qwen2',
      shape: { family: 'qwen2' },
      generation: { stopTokens: [511] },
      locret: {},
    });
    const rendered = model.template.render([{ role: 'user', content: 'a' }], { addGenerationPrompt: true });
    expect(model.tokenizer.encode(rendered)[0]).toBe(model.tokenizer.tokenId('<|im_start|>'));
  });

  it('says that a folder is not there', async () => {
    const failure = await openModel('no/such/model').catch((error: unknown) => error);
    expect(isLocretError(failure, 'model-not-found')).toBe(true);
    expect(failure).toHaveProperty('message', expect.stringContaining(path.join('no', 'such', 'model')));
  });

  it("refuses another model's tokenizer", async () => {
    const folder = modelFolder({}, { from: fixture('llama'), names: ['tokenizer.json', 'tokenizer_config.json'] });
    const { shape } = await openModel(fixture('llama'));
    writeFileSync(
      path.join(folder, 'config.json'),
      JSON.stringify({
        model_type: 'llama',
        hidden_size: shape.hidden,
        intermediate_size: shape.feedForward,
        num_attention_heads: shape.heads,
        num_hidden_layers: shape.layers.length,
        max_position_embeddings: shape.maxPositions,
        vocab_size: 100,
      }),
    );
    const failure = await openModel(folder).catch((error: unknown) => error);
    expect(isLocretError(failure, 'tokenizer-unsupported')).toBe(true);
    expect(failure).toHaveProperty('message', expect.stringContaining('from 0 to 99'));
  });
});

describe('readGenerationSettings', () => {
  function settingsOf(files: Readonly<Record<string, object>>, from = 'qwen2'): GenerationSettings {
    const folder = modelFolder(files, { from: fixture(from), names: ['tokenizer.json'] });
    return readGenerationSettings(folder, openTokenizer(folder));
  }

  it('joins the stop tokens of all files, each once', () => {
    const settings = settingsOf({
      'generation_config.json': { eos_token_id: [7, 511] },
      'config.json': { eos_token_id: 8 },
      'tokenizer_config.json': { eos_token: { content: '<|endoftext|>' } },
    });
    expect(settings).toEqual({ stopTokens: [7, 511, 8, 509] });
  });

  it('adds the ends of a turn that the vocabulary has', () => {
    expect(settingsOf({}).stopTokens).toEqual([511]);
    expect(settingsOf({}, 'llama').stopTokens).toEqual([510]);
    expect(settingsOf({}, 'phi3').stopTokens).toEqual([510]);
    expect(settingsOf({}, 'sentencepiece-tokenizers/gemma').stopTokens).toEqual([]);
  });

  it('takes sampling values only where the model samples', () => {
    const values = { temperature: 0.7, top_p: 0.8, top_k: 20, repetition_penalty: 1.05 };
    expect(settingsOf({ 'generation_config.json': { ...values, do_sample: true } })).toEqual({
      stopTokens: [511],
      temperature: 0.7,
      topP: 0.8,
      topK: 20,
      repetitionPenalty: 1.05,
    });
    const greedy = settingsOf({ 'generation_config.json': { ...values, do_sample: false } });
    expect(greedy).toEqual({ stopTokens: [511], repetitionPenalty: 1.05 });
    expect(settingsOf({ 'generation_config.json': { do_sample: true } })).toMatchObject({ temperature: 1 });
  });

  it('refuses senseless values, naming the key', () => {
    const file = 'generation_config.json';
    expectRefusal(() => settingsOf({ [file]: { eos_token_id: 'end' } }), 'model-corrupt', file, '"eos_token_id"');
    expectRefusal(() => settingsOf({ [file]: { do_sample: true, top_p: 7 } }), 'model-corrupt', '"top_p"');
  });
});

describe('readLocretSettings', () => {
  const file = 'locret.json';

  it('reads every field, and the absolute path of the heads', () => {
    const settings = {
      instructions: '',
      heads: 'trained/heads.safetensors',
      budget: 256,
      allocation: 'pyramid' as const,
      structure: 'headers' as const,
      chunk: 128,
      stabilizers: 0,
      local: 16,
      window: 1024,
      recall: 0,
      attention: false,
    };
    const folder = modelFolder({ [file]: { format: 1, ...settings } });
    expect(readLocretSettings(folder)).toEqual({
      ...settings,
      heads: path.join(folder, 'trained', 'heads.safetensors'),
    });
  });

  it('refuses an allocation that is none', () => {
    const folder = modelFolder({ [file]: { format: 1, allocation: 'fair' } });
    expectRefusal(() => readLocretSettings(folder), 'model-corrupt', file, '"allocation" must be one of even, pyramid');
  });

  it('refuses a structure that is none', () => {
    const folder = modelFolder({ [file]: { format: 1, structure: 'tree' } });
    expectRefusal(() => readLocretSettings(folder), 'model-corrupt', file, '"structure" must be one of none, headers');
  });

  it('finds heads of the usual name where none are named', () => {
    const name = 'retaining_heads.safetensors';
    const folder = modelFolder({ [file]: { format: 1 }, [name]: '' });
    expect(readLocretSettings(folder)).toEqual({ heads: path.join(folder, name) });
    expect(readLocretSettings(modelFolder({ [name]: '' }))).toHaveProperty('heads');
    expect(readLocretSettings(modelFolder({}))).toEqual({});
  });

  it.each(['../heads.safetensors', 'a/../../heads.safetensors', '/heads.safetensors', '.', '', '..', 'a\0b'])(
    'refuses heads at %j',
    (heads) => {
      const folder = modelFolder({ [file]: { format: 1, heads } });
      expectRefusal(() => readLocretSettings(folder), 'model-corrupt', file, '"heads" must be');
    },
  );

  it('refuses formats it does not know', () => {
    for (const content of [{ format: 2 }, { budget: 256 }, { format: '1' }]) {
      expectRefusal(() => readLocretSettings(modelFolder({ [file]: content })), 'model-unsupported', file, '"format"');
    }
  });

  it.each(['budget', 'chunk', 'stabilizers', 'local', 'window', 'recall'])('refuses a negative %s', (key) => {
    const folder = modelFolder({ [file]: { format: 1, [key]: -1 } });
    expectRefusal(() => readLocretSettings(folder), 'model-corrupt', file, `"${key}" must be a whole number`);
  });

  it('refuses a folder in its place', () => {
    const folder = modelFolder({});
    mkdirSync(path.join(folder, file));
    expectRefusal(() => readLocretSettings(folder), 'model-corrupt', file, 'not a regular file');
  });
});
