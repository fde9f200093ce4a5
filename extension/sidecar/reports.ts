import * as vscode from 'vscode';
import type { ReportName, ReportScheme, RootStatus, RootUri } from '../../server/contract/protocol.js';
import { escapeMarkdown } from '../text/linkless-markdown.js';
import type { LocalSidecar } from './local-sidecar.js';
import { RequestFailure } from './sidecar.js';

const scheme: ReportScheme = 'locret-report';

/** The reports that the sidecar writes, as pages of the editor; they are there again after a restart. */
export class Reports implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changeEmitter = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: readonly { dispose(): unknown }[];
  /** Shown reports that could not be written, by their URIs. */
  private readonly unwritten = new Map<string, vscode.Uri>();
  private lastStates = '';

  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly sidecar: LocalSidecar) {
    this.subscriptions = [
      this.changeEmitter,
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      sidecar.onDidChangeStatus(({ roots }) => {
        this.rewriteWhenChanged(roots);
      }),
    ];
  }

  /** The report; or why there is none yet, as when the editor restores a page before the memory that it is about. */
  async provideTextDocumentContent(document: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    this.unwritten.delete(document.toString());
    try {
      return await this.sidecar.documentText(document, token);
    } catch (error) {
      if (!(error instanceof RequestFailure) || error.code === 'cancelled') throw error;
      this.unwritten.set(document.toString(), document);
      return `${escapeMarkdown(error.message)} ${escapeMarkdown(error.remedy)}\n`;
    }
  }

  /** Shows what reading a root takes. */
  async showPlan(root: RootUri): Promise<void> {
    // What keeps the sidecar from writing the report is told as a failure; a document could only stay empty.
    await this.sidecar.request('locret/plan', { root });
    await this.show('plan', root);
  }

  /** Shows what was read of a root, and what not. */
  async showCoverage(root: RootUri): Promise<void> {
    await this.sidecar.request('locret/status', {});
    await this.show('coverage', root);
  }

  /** Shows how heads were trained. @param heads their file, an absolute path */
  showTraining(heads: string): Promise<void> {
    return this.show('training', heads);
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** What kept reports from being written may be over once a root is at something else. */
  private rewriteWhenChanged(roots: readonly RootStatus[]): void {
    const states = roots.map(({ root, state }) => `${root} ${state}`).join('\n');
    if (states === this.lastStates) return;
    this.lastStates = states;
    for (const document of this.unwritten.values()) this.changeEmitter.fire(document);
  }

  /** Shows a report as a page; as text where VS Code's Markdown extension is switched off. */
  private async show(report: ReportName, query: string): Promise<void> {
    const document = vscode.Uri.from({ scheme, path: `/${report}.md`, query });
    this.changeEmitter.fire(document);
    const markdown = vscode.extensions.getExtension('vscode.markdown-language-features');
    const show = markdown === undefined ? 'vscode.open' : 'markdown.showPreview';
    await vscode.commands.executeCommand(show, document);
  }
}
