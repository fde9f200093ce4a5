import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { Survey, SurveyOptions } from '../../../server/repository/source.js';
import { surveyRepository } from '../../../server/repository/survey.js';

export const options: SurveyOptions = { maxFileBytes: 100_000, exclude: [], include: [] };

/** An empty folder that is removed when the test ends; the user's own git settings are out of sight. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'locret repository ')));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });
  const home = path.join(folder, 'home of the user');
  await mkdir(home);
  vi.stubEnv('HOME', home);
  vi.stubEnv('USERPROFILE', home);
  vi.stubEnv('XDG_CONFIG_HOME', path.join(home, '.config'));
  vi.stubEnv('GIT_CONFIG_SYSTEM', path.join(home, 'no settings'));
  const root = path.join(folder, 'root');
  await mkdir(root);
  return root;
}

/** Writes files below a folder, making the folders they lie in. */
export async function writeFiles(root: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** Runs git in a folder. */
export function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...identity, ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The files git tracks or would track that exist, sorted; folders that are repositories of their own left out. */
export function gitFiles(folder: string): string[] {
  const listed = git(folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate').split(
    '\0',
  );
  const deleted = new Set(git(folder, 'ls-files', '-z', '--deleted').split('\0'));
  return listed.filter((file) => file !== '' && !file.endsWith('/') && !deleted.has(file)).sort();
}

/** The paths of a survey, sorted. */
export function sortedPaths(survey: Survey): string[] {
  return survey.files.map((file) => file.path).sort();
}

export async function surveyedPaths(root: string, changes: Partial<SurveyOptions> = {}): Promise<string[]> {
  return sortedPaths(await surveyRepository(root, { ...options, ...changes }));
}
