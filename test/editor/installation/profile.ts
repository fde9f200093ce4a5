import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { EditorInstallation } from './editor-installation.js';

/** What keeps the editor quiet: nothing is looked up, updated or offered while a test runs. */
const quietSettings = {
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'git.openRepositoryInParentFolders': 'never',
  'chat.agentHost.enabled': false,
  'chat.commandCenter.enabled': false,
};

/** An editor of its own for a test: settings, extensions, caches and home folder, all in a new folder. */
export class Profile {
  private constructor(
    private readonly installation: EditorInstallation,
    /** In it lies everything that the editor and the extension write. */
    readonly folder: string,
  ) {}

  /** A clean profile. */
  static async create(installation: EditorInstallation, settings: Readonly<Record<string, unknown>>): Promise<Profile> {
    const profile = new Profile(installation, await mkdtemp(path.join(tmpdir(), 'locret-editor-')));
    const folders = ['extensions', 'home', 'user-data/User'];
    await Promise.all(folders.map((folder) => mkdir(path.join(profile.folder, folder), { recursive: true })));
    await writeFile(path.join(profile.folder, 'config.yaml'), 'cert: false\n');
    await profile.writeSettings(settings);
    return profile;
  }

  /** Replaces the user's settings. */
  async writeSettings(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const file = path.join(this.folder, 'user-data/User/settings.json');
    await writeFile(file, JSON.stringify({ ...quietSettings, ...settings }, undefined, 2));
  }

  /** The environment of the editor, and with it of all that it starts: nothing outside of the profile is written. */
  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: path.join(this.folder, 'home'),
      XDG_CACHE_HOME: path.join(this.folder, 'home/.cache'),
      XDG_CONFIG_HOME: path.join(this.folder, 'home/.config'),
      XDG_DATA_HOME: path.join(this.folder, 'home/.local/share'),
      // No gallery of extensions: this port is closed.
      EXTENSIONS_GALLERY: '{"serviceUrl":"http://127.0.0.1:9"}',
    };
  }

  /** Arguments that make the editor's script use this profile. */
  get argv(): readonly string[] {
    return [
      this.installation.entry,
      ...['--user-data-dir', path.join(this.folder, 'user-data')],
      ...['--extensions-dir', path.join(this.folder, 'extensions')],
      ...['--config', path.join(this.folder, 'config.yaml')],
    ];
  }

  /**
   * Installs a packaged extension as a user does.
   *
   * @returns the folder it lies in
   */
  async installExtension(vsix: string): Promise<string> {
    const argv = [...this.argv, '--install-extension', vsix];
    await promisify(execFile)(this.installation.node, argv, { env: this.environment, cwd: this.folder });
    const extensions = path.join(this.folder, 'extensions');
    const [installed] = (await readdir(extensions, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    if (installed === undefined) throw new Error(`${vsix} was not installed.`);
    return path.join(extensions, installed.name);
  }

  /** The log files whose path matches, with their contents, by path. */
  async logs(pattern: RegExp): Promise<ReadonlyMap<string, string>> {
    const folder = path.join(this.folder, 'user-data/logs');
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    const files = names.filter((name) => name.endsWith('.log') && pattern.test(name)).sort();
    const texts = files.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const);
    return new Map(await Promise.all(texts));
  }

  /** Removes everything. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}
