import * as vscode from 'vscode';
import type { ReportName, ReportScheme, RootUri } from '../../server/protocol.js';
import type { LocalSidecar } from '../sidecar/local-sidecar.js';

const scheme: ReportScheme = 'locret-report';

/** Shows a report about a root. */
export function showReport(report: ReportName): (sidecar: LocalSidecar, root: RootUri) => Promise<void> {
  return async (sidecar, root) => {
    // What keeps the sidecar from writing the report is told as a failure; a document could only stay empty.
    if (report === 'plan') await sidecar.request('locret/plan', { root });
    else await sidecar.request('locret/status', {});
    await showPage(sidecar, report, root);
  };
}

/** Shows how heads were trained. @param heads their file, an absolute path */
export function showTrainingReport(sidecar: LocalSidecar, heads: string): Promise<void> {
  return showPage(sidecar, 'training', heads);
}

/** Shows a report as a page; as text where VS Code's Markdown extension is switched off. */
async function showPage(sidecar: LocalSidecar, report: ReportName, query: string): Promise<void> {
  const document = vscode.Uri.from({ scheme, path: `/${report}.md`, query });
  await sidecar.refresh(document);
  const markdown = vscode.extensions.getExtension('vscode.markdown-language-features');
  const show = markdown === undefined ? 'vscode.open' : 'markdown.showPreview';
  await vscode.commands.executeCommand(show, document);
}
