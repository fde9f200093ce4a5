import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { startBrowser } from './installation/browser.js';
import { editorCache, installEditor, type EditorInstallation } from './installation/editor-installation.js';
import { startServer, type EditorServer, type ServerOptions } from './installation/editor-server.js';
import { Profile } from './installation/profile.js';
import { Workbench, type Opened } from './pages/workbench.js';

export interface SessionOptions extends ServerOptions {
  readonly opened: Opened;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** An editor with a clean profile in which the packaged extension is installed, and a window of it. */
export class Session {
  private constructor(
    private readonly installation: EditorInstallation,
    private readonly browser: Browser,
    readonly profile: Profile,
    private readonly options: SessionOptions,
    private running: { readonly server: EditorServer; readonly workbench: Workbench },
  ) {}

  /** @param vsix the packaged extension */
  static async start(vsix: string, options: SessionOptions): Promise<Session> {
    const installation = await installEditor();
    const profile = await Profile.create(installation, options.settings ?? {});
    await profile.installExtension(vsix);
    const browser = await startBrowser(installation);
    const running = await Session.open(installation, browser, profile, options);
    return new Session(installation, browser, profile, options, running);
  }

  private static async open(
    installation: EditorInstallation,
    browser: Browser,
    profile: Profile,
    options: SessionOptions,
  ): Promise<{ server: EditorServer; workbench: Workbench }> {
    const server = await startServer(installation, profile, options);
    try {
      return { server, workbench: await Workbench.open(browser, server.url, options.opened) };
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get workbench(): Workbench {
    return this.running.workbench;
  }

  get server(): EditorServer {
    return this.running.server;
  }

  /** Closes the window, ends the editor and starts it anew with the same profile. */
  async restart(): Promise<void> {
    await this.workbench.close();
    await this.server.stop();
    this.running = await Session.open(this.installation, this.browser, this.profile, this.options);
  }

  /** Closes the window and opens it again; the server goes on. */
  async reload(): Promise<void> {
    await this.workbench.close();
    const workbench = await Workbench.open(this.browser, this.server.url, this.options.opened);
    this.running = { server: this.server, workbench };
  }

  /** Leaves a picture of the window and all logs in a folder of its own under .cache/editor/failures. */
  async keepEvidence(name: string): Promise<string> {
    const folder = path.join(editorCache, 'failures', name.replace(/[^\w-]+/g, '-'));
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await this.workbench.page.screenshot({ path: path.join(folder, 'window.png') }).catch(() => undefined);
    await writeFile(path.join(folder, 'server.log'), this.server.output());
    await cp(path.join(this.profile.folder, 'user-data/logs'), path.join(folder, 'logs'), { recursive: true }).catch(
      () => undefined,
    );
    return folder;
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    await this.profile.remove();
  }
}

/**
 * Starts a session before the tests of a file and ends it after them. When a test fails, says where its evidence lies.
 *
 * @param options called when the session starts
 */
export function useSession(options: () => SessionOptions | Promise<SessionOptions>): () => Session {
  let session: Session | undefined;
  beforeAll(async () => {
    session = await Session.start(inject('vsix'), await options());
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || session === undefined) return;
    const folder = await session.keepEvidence(task.name);
    const logs = await session.profile.logs(/locret/i);
    const tails = [...logs].map(([name, text]) => `--- ${name}\n${text.split('\n').slice(-40).join('\n')}`);
    process.stderr.write(`\nPicture and logs of "${task.name}": ${folder}\n${tails.join('\n')}\n`);
  });
  afterAll(async () => {
    await session?.stop();
  });
  return () => {
    if (session === undefined) throw new Error('The session has not started.');
    return session;
  };
}
