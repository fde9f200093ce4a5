import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { Session } from '../session.js';
import { allPictures, file, name, Photographer, shownPictures, themes, type Theme } from './photographer.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const parts = ['server/engine', 'server/memory', 'server/answer', 'server/errors.ts', 'README.md'];

/** A repository to show: part of this project, as anybody has it. */
async function repository(): Promise<string> {
  const folder = path.join(await mkdtemp(path.join(tmpdir(), 'locret-pictures-')), 'locret');
  for (const part of parts) await cp(path.join(root, part), path.join(folder, part), { recursive: true });
  return folder;
}

const settings = {
  'editor.minimap.enabled': false,
  'comments.openView': 'never',
  // Of the project only a part is there.
  'typescript.validate.enable': false,
  'editor.occurrencesHighlight': 'off',
  'editor.lightbulb.enabled': 'off',
};

describe.each<Theme>(['light', 'dark', 'contrast'])('%s', (theme) => {
  let session: Session;
  let photographer: Photographer;
  let folder: string;

  beforeAll(async () => {
    await mkdir(allPictures, { recursive: true });
    await mkdir(shownPictures, { recursive: true });
    folder = await repository();
    const lines = (await readFile(path.join(folder, file), 'utf8')).split('\n');
    const line = lines.findIndex((text) => text.includes(`function ${name}`)) + 1;
    const colours = { 'workbench.colorTheme': themes[theme] };
    session = await Session.start(inject('vsix'), { opened: { folder }, settings: { ...settings, ...colours } });
    photographer = new Photographer(session.workbench, theme, line);
  });
  afterAll(async () => {
    await session.stop();
    await rm(path.dirname(folder), { recursive: true, force: true });
  });

  test('the repository while it is read', () => photographer.reading());
  test('a conversation', () => photographer.chat());
  test('the status', () => photographer.status());
  test('a question beside the code', () => photographer.inline());
  test('what is remembered', () => photographer.remembered());
  test('the introduction', () => photographer.introduction());
});
