import * as vscode from 'vscode';
import type { LocretRequests, SidecarSettings, WorkspaceStatus } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { CrashPolicy, type Verdict } from './crash-policy.js';
import { describeEnd } from './end-reason.js';
import { Lifecycle } from './lifecycle.js';
import { SidecarSession } from './session.js';
import { readSettings } from './settings.js';
import { RequestFailure, type RequestOptions, type Sidecar, type SidecarLife } from './sidecar.js';
import { statusWithoutProcess } from './workspace-status.js';

/** The sidecar as a child of this extension host. It starts with `start` or the first request. */
export class LocalSidecar implements Sidecar, vscode.Disposable {
  private lastStatus: WorkspaceStatus = { model: '', roots: [] };
  /** The settings that the user was last warned of. */
  private refusedSettings = '';
  private readonly lifeEmitter = new vscode.EventEmitter<SidecarLife>();
  private readonly statusEmitter = new vscode.EventEmitter<WorkspaceStatus>();
  private readonly lifecycle: Lifecycle<SidecarSession>;
  private readonly subscriptions: readonly { dispose(): unknown }[];

  readonly onDidChangeLife = this.lifeEmitter.event;
  readonly onDidChangeStatus = this.statusEmitter.event;

  /** @param module absolute path of the sidecar's program */
  constructor(
    module: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.lifecycle = new Lifecycle({
      policy: new CrashPolicy(),
      open: () =>
        new SidecarSession({
          module,
          log,
          settings: this.settings(),
          onStatus: (status) => {
            this.changeStatus(status);
          },
          onTraining: (training) => {
            this.changeStatus({ ...this.lastStatus, training });
          },
        }),
      describeEnd: (end, verdict) => describeEnd(end, verdict, displayLanguage),
      restartReason: vscode.l10n.t('The sidecar is being restarted.'),
      onChange: (life) => {
        if (life.state !== 'running') this.changeStatus(statusWithoutProcess(this.lastStatus));
        this.lifeEmitter.fire(life);
      },
      onCrash: (verdict, reason) => void this.announce(verdict, reason),
    });
    const pushSettings = (): void => void this.pushSettings();
    this.subscriptions = [
      this.lifeEmitter,
      this.statusEmitter,
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('locret')) pushSettings();
      }),
      // Settings of a folder that was not trusted come into force.
      vscode.workspace.onDidGrantWorkspaceTrust(pushSettings),
    ];
  }

  get life(): SidecarLife {
    return this.lifecycle.life;
  }

  get status(): WorkspaceStatus {
    return this.lastStatus;
  }

  /** Starts the process unless there is one, or it is to stay stopped. Does not wait for it. */
  start(): void {
    this.lifecycle.start();
  }

  async request<Method extends keyof LocretRequests>(
    method: Method,
    params: LocretRequests[Method]['params'],
    options: RequestOptions<Method> = {},
  ): Promise<LocretRequests[Method]['result']> {
    return (await this.session()).request(method, params, options);
  }

  /**
   * The text of a document that the sidecar writes.
   * @throws RequestFailure
   */
  async documentText(document: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    return (await this.session()).documentText(document, token);
  }

  restart(): Promise<void> {
    return this.lifecycle.restart();
  }

  /** Ends the process for good, with time to save what it has; resolves when it is gone. */
  close(): Promise<void> {
    return this.lifecycle.close();
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private settings(): SidecarSettings {
    const configuration = vscode.workspace.getConfiguration('locret');
    const { settings, refused } = readSettings((name) => configuration.get(name));
    const names = refused.join(', ');
    if (names !== this.refusedSettings && names !== '') void warnOfSettings(names);
    this.refusedSettings = names;
    return { ...settings, trusted: vscode.workspace.isTrusted };
  }

  private async pushSettings(): Promise<void> {
    try {
      const session = await this.lifecycle.openedSession();
      await session?.changeSettings(this.settings());
    } catch (error) {
      this.log.warn(`Settings did not reach the sidecar: ${String(error)}`);
    }
  }

  private changeStatus(status: WorkspaceStatus): void {
    this.lastStatus = status;
    this.statusEmitter.fire(status);
  }

  /** @throws RequestFailure when it is to stay stopped, and what kept it from getting ready */
  private async session(): Promise<SidecarSession> {
    const session = await this.lifecycle.session();
    if (session !== undefined) return session;
    const { life } = this;
    const reason = 'reason' in life ? life.reason : vscode.l10n.t('The sidecar is not running.');
    throw new RequestFailure('sidecar-stopped', reason, vscode.l10n.t('Restart it to go on.'));
  }

  private async announce({ action }: Verdict, reason: string): Promise<void> {
    this.log.error(reason);
    const showLog = vscode.l10n.t('Show Log');
    const restart = vscode.l10n.t('Restart');
    const chosen =
      action === 'restart'
        ? await vscode.window.showWarningMessage(reason, showLog)
        : await vscode.window.showErrorMessage(reason, restart, showLog);
    if (chosen === showLog) this.log.show();
    if (chosen === restart) await this.restart();
  }
}

async function warnOfSettings(names: string): Promise<void> {
  const openSettings = vscode.l10n.t('Open Settings');
  const text = vscode.l10n.t('The defaults are used for settings whose values are not allowed: {0}.', names);
  const chosen = await vscode.window.showWarningMessage(text, openSettings);
  if (chosen === openSettings) await vscode.commands.executeCommand('workbench.action.openSettings', names);
}
