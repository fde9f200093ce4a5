import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listModels, resolveModel } from '../../../../server/model/catalog.js';
import { ggufName } from '../../../../server/model/gguf/gguf-model.js';
import { openCheckpoint } from '../../../../server/model/hub-folder/open-checkpoint.js';
import { openModel } from '../../../../server/model/model.js';
import { openModelSource } from '../../../../server/model/open-model-source.js';
import { fixture, modelFolder } from '../model-folder.js';
import { bytesOf, contentOf, floats, type GgufContent } from './gguf-files.js';
import { byteLevelContent, reference, string } from './tokenizer-contents.js';

/** The weights of a fixture with a vocabulary of the references. */
function wholeContent(): GgufContent {
  const weights = openCheckpoint(fixture('qwen2'));
  const { metadata, tensors } = contentOf(weights);
  const { hidden } = weights.shape;
  weights.close();
  const rows = reference.byteLevel.tokens.length;
  const embedding = floats('token_embd.weight', [rows, hidden], new Float32Array(rows * hidden));
  const template = "{% for message in messages %}{{ bos_token + message.role + ': ' + message.content }}{% endfor %}";
  const told = new Map([
    ['general.name', string('A tiny model')],
    ['tokenizer.chat_template', string(template)],
  ]);
  return {
    metadata: new Map([...byteLevelContent('qwen2').metadata, ...metadata, ...told]),
    tensors: [embedding, ...tensors.filter(({ name }) => name !== embedding.name)],
  };
}

const bytes = bytesOf(wholeContent());

/** A folder that holds the model in a file of a name, and other files. */
function folderWith(name: string, files: Readonly<Record<string, string | object>> = {}): string {
  const folder = modelFolder(files);
  writeFileSync(path.join(folder, name), bytes);
  return folder;
}

describe('a model in a GGUF file', () => {
  it('opens as one in a folder does', async () => {
    const file = path.join(folderWith('tiny.gguf'), 'tiny.gguf');
    const model = await openModel(path.relative(process.cwd(), file));
    expect(model).toMatchObject({ place: file, name: 'tiny', shape: { family: 'qwen2' }, locret: {} });
    const { tokenizer, template, generation } = model;
    expect(tokenizer.decode(tokenizer.encode('const a = 1;\n'))).toBe('const a = 1;\n');
    expect(generation.stopTokens).toContain(tokenizer.tokenId('<|endoftext|>'));
    const messages = [{ role: 'user', content: 'Where?' }] as const;
    expect(template.render(messages, { addGenerationPrompt: true })).toBe('<|im_start|>user: Where?');
  });

  it('has its settings and retaining heads beside it, under its name', () => {
    const folder = folderWith('tiny.gguf', {
      'tiny.locret.json': { format: 1, budget: 300 },
      'tiny.retaining_heads.safetensors': '',
      'locret.json': { format: 1, budget: 7 },
    });
    const source = openModelSource(path.join(folder, 'tiny.gguf'));
    const heads = path.join(folder, 'tiny.retaining_heads.safetensors');
    expect(source.locretSettings()).toMatchObject({ budget: 300, heads });
    expect(source.beside('retaining_heads.safetensors')).toBe(heads);
    expect(openModelSource(fixture('qwen2')).beside('locret.json')).toBe(path.join(fixture('qwen2'), 'locret.json'));
  });

  it.each([
    ['tiny.gguf', 'tiny'],
    ['Tiny-1.5B-Q4_K_M.GGUF', 'Tiny-1.5B-Q4_K_M'],
    ['tiny-00001-of-00003.gguf', 'tiny'],
    ['tiny-00002-of-00003.gguf', undefined],
    ['tiny.safetensors', undefined],
    ['.gguf', undefined],
  ])('is called by its file: %s', (file, name) => {
    expect(ggufName(path.join('/models', file))).toBe(name);
  });

  it('is in the catalog by its name, and why it cannot be used if it is damaged', async () => {
    const folder = folderWith('tiny.gguf', { 'broken.gguf': 'GGUF', 'notes.txt': '' });
    const file = path.join(folder, 'tiny.gguf');
    const [broken, tiny, ...others] = await listModels([folder]);
    expect(others).toEqual([]);
    expect(broken).toMatchObject({ name: 'broken', folder: path.join(folder, 'broken.gguf') });
    expect(broken).toHaveProperty('problem');
    expect(tiny).toMatchObject({ name: 'tiny', folder: file, description: 'A tiny model', family: 'qwen2' });
    expect(tiny).toMatchObject({ heads: false });
    expect(await resolveModel('tiny', [folder])).toBe(file);
    expect(await resolveModel(file, [])).toBe(file);
  });

  it('is refused by name where the file is something else', async () => {
    const folder = modelFolder({ 'notes.txt': 'A file of notes that is longer than a header.' });
    const place = await resolveModel(path.join(folder, 'notes.txt'), []);
    await expect(openModel(place)).rejects.toThrow(/notes\.txt is not a GGUF file/);
  });
});
