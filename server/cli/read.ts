import type { Command } from 'commander';
import type { SkippedFile } from '../contract/contents.js';
import type { ReadMemory } from '../memory/contents/repository-memory.js';
import { interruptSignal } from './exit.js';
import { formatAmount, formatBytes, formatCount, formatSeconds } from '../quantities.js';
import { oneParagraph } from './format.js';
import { withReadingOptions, type ReadingOptions } from './options.js';
import { terminalLine } from './render-answer.js';
import { callUntil, withRoot } from './terminal-workspace.js';

const description = `
Reads a repository into its memory, so that questions are answered at once. Ctrl-C keeps what was read, and the next start
goes on there. With a snapshot from before, nothing is read: --update folds in the files that changed since, --fresh reads
everything again.`;

interface ReadCommandOptions extends ReadingOptions {
  readonly update?: boolean;
  readonly fresh?: boolean;
  readonly skipped?: boolean;
  readonly json?: boolean;
}

/** `3 binary · 1 too-large` */
function countReasons(skipped: readonly SkippedFile[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${formatCount(count)} ${reason}`).join(' · ');
}

async function report(memory: ReadMemory, options: ReadCommandOptions, signal: AbortSignal): Promise<void> {
  const changed = await memory.detectChanges(signal);
  const coverage = memory.coverage();
  const { length, cacheBytes, weightBytes } = await memory.engine.stats();
  if (options.json === true) {
    const { source, seconds } = memory;
    const object = { coverage, memory: { source, seconds, units: length, cacheBytes, weightBytes } };
    process.stdout.write(`${JSON.stringify(object, null, 2)}\n`);
    return;
  }
  const how = { read: 'Read', snapshot: 'Restored', update: 'Updated' }[memory.source];
  const lines = [
    `${how} in ${formatSeconds(memory.seconds)}: ${formatAmount(coverage.filesRead, 'file')}, ` +
      `${formatAmount(coverage.tokensRead, 'token')}, ${formatAmount(length, 'unit')} kept in ${formatBytes(cacheBytes)} of cache.`,
  ];
  if (coverage.skipped.length > 0)
    lines.push(
      `Skipped: ${countReasons(coverage.skipped)}${options.skipped === true ? '' : ' (--skipped lists them)'}.`,
    );
  if (options.skipped === true)
    lines.push(...coverage.skipped.map(({ path, reason, detail }) => `  ${path}: ${reason}, ${detail}`));
  if (changed.length > 0) {
    lines.push(`${formatAmount(changed.length, 'file')} changed since (locret read --update folds them in):`);
    lines.push(...changed.slice(0, 10).map(({ path, change }) => `  ${path}: ${change}`));
  }
  process.stdout.write(`${lines.map(terminalLine).join('\n')}\n`);
}

async function run(options: ReadCommandOptions): Promise<void> {
  const { update = false, fresh = false } = options;
  const signal = interruptSignal();
  await withRoot(options, async ({ root, service, bar }) => {
    await root.read({ fresh, resume: !update }, signal);
    if (update) await service['locret/update'].handle({ root: root.uri }, callUntil(signal));
    bar.end();
    await report(root.contents, options, signal);
  });
}

/** Adds `locret read`. */
export function registerRead(program: Command): void {
  withReadingOptions(program.command('read').summary('read a repository into its memory'))
    .description(oneParagraph(description))
    .option('--update', 'fold in the files that changed since the snapshot')
    .option('--fresh', 'read everything again')
    .option('--skipped', 'list what was skipped, with reasons')
    .option('--json', 'print one JSON object')
    .action(run);
}
