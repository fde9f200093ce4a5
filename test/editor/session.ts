import { newBrowserSession, startBrowser, type BrowserSession } from './installation/browser.js';
import { installEditor, type EditorInstallation } from './installation/editor-installation.js';
import { keepEvidence } from './installation/evidence.js';
import { startServer, type EditorServer, type ServerOptions } from './installation/editor-server.js';
import { Profile } from './installation/profile.js';
import { Workbench, type Opened } from './pages/workbench.js';

export interface SessionOptions extends ServerOptions {
  readonly opened: Opened;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Changes the installed extension before the editor starts. */
  readonly prepare?: (extension: string) => Promise<void>;
}

/** An editor with a clean profile in which the packaged extension is installed, and a window of it. */
export class Session {
  private constructor(
    private readonly installation: EditorInstallation,
    private readonly browser: BrowserSession,
    readonly profile: Profile,
    private readonly options: SessionOptions,
    private running: { readonly server: EditorServer; readonly workbench: Workbench },
  ) {}

  /** @param vsix the packaged extension */
  static async start(vsix: string, options: SessionOptions): Promise<Session> {
    const installation = await installEditor();
    const profile = await Profile.create(installation, options.settings ?? {});
    const extension = await profile.installExtension(vsix);
    await options.prepare?.(extension);
    const browser = await newBrowserSession(await startBrowser(installation));
    const server = await startServer(installation, profile, options);
    try {
      const workbench = await Workbench.open(browser.context, server.url, options.opened);
      return new Session(installation, browser, profile, options, { server, workbench });
    } catch (error) {
      await keepEvidence('start', { browser, profile, server });
      await browser.context.browser()?.close();
      await server.stop();
      await profile.remove();
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
    const { workbench, server } = this.running;
    await workbench.close();
    await server.stop();
    const port = Number(new URL(server.url).port);
    const next = await startServer(this.installation, this.profile, { ...this.options, port });
    // Should its window not open, it is this one that is to be ended.
    this.running = { server: next, workbench };
    this.running = {
      server: next,
      workbench: await Workbench.open(this.browser.context, next.url, this.options.opened),
    };
  }

  /** Leaves pictures of the windows and all logs behind, and says where. */
  async keepEvidence(name: string): Promise<string> {
    return keepEvidence(name, { browser: this.browser, profile: this.profile, server: this.server });
  }

  async stop(): Promise<void> {
    await this.browser.context.browser()?.close();
    await this.server.stop();
    await this.profile.remove();
  }
}
