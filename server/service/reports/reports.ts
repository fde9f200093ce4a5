import type { ReportName, ReportScheme, SkippedFile } from '../../contract/protocol.js';
import { LocretError } from '../../errors.js';
import { planRows } from '../../memory/planning/render-plan.js';
import { formatCount } from '../../quantities.js';
import type { RootMemory } from '../../workspace/root-memory.js';
import type { Workspace } from '../../workspace/workspace.js';
import { plain, table } from './report-markdown.js';
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
  const parts = [
    `# What was read of ${plain(root.name)}`,
    `${formatCount(filesRead)} files, ${formatCount(tokensRead)} tokens; ${formatCount(skipped.length)} skipped; ` +
      `${formatCount(changed.length)} changed since.`,
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
      parts.push(`### ${plain(reason)} (${formatCount(files.length)})`);
      parts.push(
        table(
          ['file', 'why'],
          files.map(({ path, detail }) => [path, detail]),
        ),
      );
    }
  }
  const read = memory.files.map(({ file, begin, end }) => [file.path, formatCount(end - begin)]);
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

/**
 * A report by its URI: `locret-report:/plan.md?ROOT`, `locret-report:/training.md?HEADS`.
 * @throws LocretError invalid-argument when there is no such report; what keeps it from being written
 */
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
  if (!isKnown(name)) {
    const names = Object.keys(reports).join(', ');
    throw new LocretError('invalid-argument', `There is no report ${uri}.`, `Name one of ${names}.`);
  }
  return `${await reports[name]()}\n`;
}
