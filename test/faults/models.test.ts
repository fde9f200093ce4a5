import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { apples, expectAnswer, expectFailure, Terminal, whereIsCountApples } from './terminal.js';

const terminal = new Terminal();
const root = terminal.repository('apples', apples);
const bundled = fileURLToPath(new URL('../../models/nano', import.meta.url));

afterAll(() => {
  terminal.remove();
});

/** A copy of the bundled model, with something wrong in it. */
function damagedModel(name: string, damage: (folder: string) => void): string {
  const folder = path.join(terminal.folder, name);
  cpSync(bundled, folder, { recursive: true });
  damage(folder);
  return folder;
}

function replaceInFile(file: string, pattern: RegExp, text: string): void {
  const before = readFileSync(file, 'utf8');
  const after = before.replace(pattern, text);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

describe('a model that cannot be used', () => {
  it.each([
    ['is not there', () => 'absent', /There is no model "absent".*Names: .*nano.*\nGive one of the names/],
    [
      'has no config.json',
      () =>
        damagedModel('no config', (folder) => {
          rmSync(path.join(folder, 'config.json'));
        }),
      /no config\/config\.json is missing\.\nDownload the model again/,
    ],
    [
      'has a config.json that is no JSON',
      () =>
        damagedModel('bad config', (folder) => {
          writeFileSync(path.join(folder, 'config.json'), '{"model_type": ');
        }),
      /bad config\/config\.json/,
    ],
    [
      'is of a family that is not supported',
      () =>
        damagedModel('family', (folder) => {
          replaceInFile(path.join(folder, 'config.json'), /("model_type": *)"\w+"/, '$1"gpt2"');
        }),
      /family\/config\.json.*gpt2[\s\S]*llama, qwen2, qwen3, phi3, mistral/,
    ],
    [
      'has no weights',
      () =>
        damagedModel('no weights', (folder) => {
          rmSync(path.join(folder, 'model.safetensors'));
        }),
      /no weights.*model\.safetensors/,
    ],
    [
      'has truncated weights',
      () =>
        damagedModel('short weights', (folder) => {
          truncateSync(path.join(folder, 'model.safetensors'), 3_000_000);
        }),
      /short weights\/model\.safetensors/,
    ],
    [
      'has truncated retaining heads',
      () =>
        damagedModel('short heads', (folder) => {
          truncateSync(path.join(folder, 'retaining_heads.safetensors'), 900_000);
        }),
      /short heads\/retaining_heads\.safetensors/,
    ],
    [
      'has a shape that its weights do not have',
      () =>
        damagedModel('shape', (folder) => {
          replaceInFile(path.join(folder, 'config.json'), /("hidden_size": *)\d+/, '$1512');
        }),
      /shape\/model\.safetensors/,
    ],
    [
      'has no tokenizer',
      () =>
        damagedModel('no tokenizer', (folder) => {
          rmSync(path.join(folder, 'tokenizer.json'));
        }),
      /no tokenizer\/tokenizer\.json/,
    ],
  ])('because it %s: a message that names the file', async (_, model, message) => {
    expectFailure(await terminal.ask(root, 'x', '--model', model()), message);
    expect(terminal.leftovers()).toEqual([]);
  });

  it('prints nothing on the standard output, also for --json', async () => {
    expectFailure(await terminal.ask(root, 'x', '--json', '--model', 'absent'), /There is no model "absent"/);
  });

  it('does not hide the models beside it', async () => {
    const models = path.join(terminal.folder, 'data', 'locret', 'models');
    mkdirSync(path.join(models, 'broken'), { recursive: true });
    writeFileSync(path.join(models, 'broken', 'config.json'), '[]');
    const environment = { XDG_DATA_HOME: path.join(terminal.folder, 'data') };
    const { status, stdout } = await terminal.start(['models'], { environment }).ended;
    expect(status).toBe(0);
    expect(stdout).toMatch(/^nano\n/m);
    expect(stdout).toMatch(/^broken\n {2}cannot be used: /m);
    expectAnswer(await terminal.ask(root, whereIsCountApples), 'apple.ts:1');
  });
});

describe('sizes that do not fit', () => {
  it.each([
    [['--budget', '100000'], /The model handles [\d,]+ positions well; .*100000/],
    [['--chunk', '100000'], /The model handles [\d,]+ positions well; .*100000/],
    [['--policy', 'locret', '--heads', 'absent.safetensors'], /absent\.safetensors/],
  ])('%j: the arithmetic, before anything is loaded', async (argv, message) => {
    expectFailure(await terminal.ask(root, 'x', ...argv), message);
  });
});
