import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Figure {
  readonly name: string;
  readonly title: string;
  /** What was measured, and how. */
  readonly text: string;
  readonly tables: readonly Table[];
  /** What ran, besides Node and onnxruntime. */
  readonly versions: readonly string[];
}

function onnxruntimeVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}

function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function environment(versions: readonly string[]): string {
  const [cpu] = os.cpus();
  const facts = [
    `${cpu?.model.trim() ?? 'unknown processor'}, ${os.availableParallelism()} cores`,
    `${Math.round(os.totalmem() / 2 ** 30)} GB`,
    `${os.type()} ${os.arch()}`,
    `Node ${process.versions.node}`,
    `onnxruntime-node ${onnxruntimeVersion()}`,
    ...versions,
  ];
  return facts.join(', ');
}

/** Prints a figure and writes it to docs/figures/NAME.md, with the command, the date and the machine. */
export async function publish(figure: Figure): Promise<void> {
  // As it can be typed again.
  const argv = process.argv.slice(2).map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`));
  const command = ['npm run', `bench:${figure.name}`, ...(argv.length > 0 ? ['--', ...argv] : [])].join(' ');
  const body = [
    `# ${figure.title}`,
    `\`${command}\` on ${new Date().toISOString().slice(0, 10)}: ${environment(figure.versions)}.`,
    figure.text,
    ...figure.tables.map(markdownTable),
  ].join('\n\n');
  process.stdout.write(`\n${body}\n`);
  await mkdir('docs/figures', { recursive: true });
  await writeFile(`docs/figures/${figure.name}.md`, `${body}\n`);
}
