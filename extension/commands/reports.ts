import * as vscode from 'vscode';
import type { ReportName, ReportScheme, RootUri } from '../../server/protocol.js';
import type { LocalSidecar } from '../sidecar/local-sidecar.js';

const scheme: ReportScheme = 'locret-report';

/** Shows a report about a root as a page; as text where VS Code's Markdown extension is switched off. */
export function showReport(report: ReportName): (sidecar: LocalSidecar, root: RootUri) => Promise<void> {
  return async (sidecar, root) => {
    // What keeps the sidecar from writing the report is told as a failure; a document could only stay empty.
    if (report === 'plan') await sidecar.request('locret/plan', { root });
    else await sidecar.request('locret/status', {});
    const document = vscode.Uri.from({ scheme, path: `/${report}.md`, query: root });
    await sidecar.refresh(document);
    const markdown = vscode.extensions.getExtension('vscode.markdown-language-features');
    const show = markdown === undefined ? 'vscode.open' : 'markdown.showPreview';
    await vscode.commands.executeCommand(show, document);
  };
}
