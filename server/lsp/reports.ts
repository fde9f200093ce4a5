import { ResponseError, LSPErrorCodes, type Connection } from 'vscode-languageserver';
import type { ReportName, ReportScheme, SkippedFile } from '../contract/protocol.js';
import { planRows } from '../memory/planning/render-plan.js';
import type { RootMemory } from '../workspace/root-memory.js';
import type { Workspace } from '../workspace/workspace.js';
import { plain, table } from './report-markdown.js';
import { answering } from './response-errors.js';
import { trainingReport } from './training-report.js';

export const reportScheme: ReportScheme = 'locret-report';

async function planReport(root: RootMemory): Promise<string> {
  const { planned } = await root.plan();
  const rows = planRows(planned.model, planned.plan);
  return [
    `# Memory plan of ${plain(root.name)}`,
    'What reading and asking takes, fixed before anything is loaded. The cache does not grow with the repository.',
    table(['', '', 'what it is'], rows),
    ...planned.plan.notices.map(plain),
  ].join('\n\n');
}

function bySkipReason(skipped: readonly SkippedFile[]): Map<string, SkippedFile[]> {
  const groups = new Map<string, SkippedFile[]>();
  for (const file of skipped) {
    const group = groups.get(file.reason);
    if (group === undefined) groups.set(file.reason, [file]);
    else group.push(file);
  }
  return groups;
}

async function coverageReport(root: RootMemory): Promise<string> {
  const memory = root.contents;
  await memory.detectChanges();
  const { filesRead, tokensRead, skipped, changed } = memory.coverage();
  const count = (value: number): string => value.toLocaleString('en-US');
  const parts = [
    `# What was read of ${plain(root.name)}`,
    `${count(filesRead)} files, ${count(tokensRead)} tokens; ${count(skipped.length)} skipped; ` +
      `${count(changed.length)} changed since.`,
  ];
  if (changed.length > 0) {
    parts.push(
      '## Changed since',
      table(
        ['file', 'change'],
        changed.map(({ path, change }) => [path, change]),
      ),
    );
  }
  if (skipped.length > 0) {
    parts.push('## Skipped');
    for (const [reason, files] of bySkipReason(skipped)) {
      parts.push(`### ${plain(reason)} (${count(files.length)})`);
      parts.push(
        table(
          ['file', 'why'],
          files.map(({ path, detail }) => [path, detail]),
        ),
      );
    }
  }
  const read = memory.files.map(({ file, begin, end }) => [file.path, count(end - begin)]);
  return [...parts, '## Read, in this order', table(['file', 'tokens'], read)].join('\n\n');
}

async function modelsReport(workspace: Workspace): Promise<string> {
  const { models, folders } = await workspace.models();
  const rows = models.map((model) =>
    'problem' in model
      ? [model.name, 'cannot be used', model.problem]
      : [model.name, model.family, `${(model.parameters / 1e6).toFixed(1)} M parameters`],
  );
  return [
    '# Models',
    table(['name', '', ''], rows),
    `Your own models go into ${folders.slice(1).map(plain).join(', ')}.`,
  ].join('\n\n');
}

/** A report by its URI: `locret-report:/plan.md?ROOT`, `locret-report:/training.md?HEADS`. */
export async function reportOf(workspace: Workspace, uri: string): Promise<string> {
  const url = new URL(uri);
  const name = /^\/?(\w+)\.md$/.exec(url.pathname)?.[1];
  const query = decodeURIComponent(url.search.slice(1));
  const reports: Readonly<Record<ReportName, () => string | Promise<string>>> = {
    plan: () => planReport(workspace.root(query)),
    coverage: () => coverageReport(workspace.root(query)),
    models: () => modelsReport(workspace),
    training: () => trainingReport(query),
  };
  const isKnown = (text: string | undefined): text is ReportName => text !== undefined && Object.hasOwn(reports, text);
  if (!isKnown(name)) throw new ResponseError(LSPErrorCodes.RequestFailed, `There is no report ${uri}.`);
  return `${await reports[name]()}\n`;
}

/** Writes the reports that an editor shows as documents. */
export function serveReports(connection: Connection, workspace: Workspace): void {
  connection.workspace.textDocumentContent.on(answering(async ({ uri }) => ({ text: await reportOf(workspace, uri) })));
}
