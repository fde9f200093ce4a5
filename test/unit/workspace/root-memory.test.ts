import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withDefaults } from '../../../server/contract/setting.js';
import { settings } from '../../../server/contract/settings.js';
import type { RootMemory } from '../../../server/workspace/root-memory.js';
import { Workspace } from '../../../server/workspace/workspace.js';
import { repository, sourceOf, temporaryFolder, writeSource } from '../memory/repository-under-test.js';

let folder: string;
let cacheHome: string;
let notices: string[];
let workspace: Workspace;
let root: RootMemory;

beforeEach(() => {
  cacheHome = temporaryFolder();
  vi.stubEnv('XDG_CACHE_HOME', cacheHome);
  folder = repository({
    'a.ts': sourceOf('alpha'),
    'b.ts': sourceOf('beta'),
    'c.ts': sourceOf('gamma'),
    'd.ts': sourceOf('delta'),
  });
  notices = [];
  const hooks = {
    onChange: () => undefined,
    onTraining: () => undefined,
    log: () => undefined,
    onNotice: (_: string, notice: string) => {
      notices.push(notice);
    },
  };
  const chosen = { ...withDefaults(settings, {}), threads: 1, autoUpdateSeconds: 0, trusted: true };
  workspace = new Workspace(hooks, chosen);
  root = workspace.add(pathToFileURL(folder).href, folder);
});

afterEach(async () => {
  await workspace.close();
  vi.unstubAllEnvs();
});

const { signal } = new AbortController();
const call = { signal, onPartial: () => undefined };
const question = { question: 'Where is `beta1` defined?' };

describe('the memory of a root', () => {
  it('is read anew when most files changed, and that is said', async () => {
    await root.read({}, signal);
    for (const name of ['a', 'b', 'c']) writeSource(folder, `${name}.ts`, sourceOf(`new${name}`));
    writeSource(folder, 'e.ts', sourceOf('added'));
    await root.update(signal);
    expect(root.contents.source).toBe('read');
    expect(root.contents.files.map(({ file }) => file.path)).toContain('e.ts');
    expect(notices).toEqual([expect.stringContaining('read anew')]);
  });

  it('comes back from its snapshot after a deep question', async () => {
    await root.read({}, signal);
    const before = await root.ask(question, call);
    expect((await root.ask({ ...question, mode: 'deep' }, call)).mode).toBe('deep');
    const after = await root.ask(question, call);
    expect(after.memory.source).toBe('snapshot');
    expect(after.text).toBe(before.text);
  });

  it('is put back after a deep question where no snapshot could be written', async () => {
    mkdirSync(path.join(cacheHome, 'locret'));
    writeFileSync(path.join(cacheHome, 'locret', 'memories'), 'no folder');
    await root.read({}, signal);
    expect(notices).toEqual([expect.stringContaining('snapshot cannot be written')]);
    const memory = root.contents;
    const before = await root.ask(question, call);
    await root.ask({ ...question, mode: 'deep' }, call);
    const after = await root.ask(question, call);
    expect(root.contents).toBe(memory);
    expect(after.text).toBe(before.text);
    expect(after.coverage.filesRead).toBe(4);
  });
});
