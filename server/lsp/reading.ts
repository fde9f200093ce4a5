import type { Connection, ProgressToken, WorkDoneProgressReporter } from 'vscode-languageserver';
import type { ReadProgress } from '../contract/roots.js';
import { planRows } from '../memory/planning/render-plan.js';
import { flag, text } from '../contract/kinds.js';
import type { RootStatus } from '../contract/protocol.js';
import type { RootMemory } from '../workspace/root-memory.js';
import type { Workspace } from '../workspace/workspace.js';
import { paramsOf } from './params.js';
import { onLocretRequest, type RequestContext } from './requests.js';

const pollMilliseconds = 200;

/** `120 of 420 files · 13,000 tokens/s · 20 s left` */
export function progressMessage({ filesRead, files, tokensPerSecond, secondsLeft }: ReadProgress): string {
  const speed = Math.round(tokensPerSecond).toLocaleString('en-US');
  const left = secondsLeft === undefined ? '' : ` · ${Math.ceil(secondsLeft)} s left`;
  return `${filesRead.toLocaleString('en-US')} of ${files.toLocaleString('en-US')} files · ${speed} tokens/s${left}`;
}

function report(reporter: WorkDoneProgressReporter, { state, progress }: RootStatus): void {
  if (state === 'loading') reporter.report('Loading the model');
  if ((state !== 'reading' && state !== 'updating') || progress === undefined) return;
  const share = progress.bytes === 0 ? 1 : progress.bytesRead / progress.bytes;
  reporter.report(100 * Math.min(1, share), progressMessage(progress));
}

/** Runs a task on a root and tells how far it is, where the client wants to know. */
async function withWorkDone(
  connection: Connection,
  token: ProgressToken | undefined,
  title: string,
  root: RootMemory,
  task: () => Promise<void>,
): Promise<RootStatus> {
  if (token === undefined) {
    await task();
    return root.status;
  }
  const reporter = connection.window.attachWorkDoneProgress(token);
  reporter.begin(title, 0, undefined, true);
  const timer = setInterval(() => {
    report(reporter, root.status);
  }, pollMilliseconds);
  try {
    await task();
    return root.status;
  } finally {
    clearInterval(timer);
    reporter.done();
  }
}

/** Answers `locret/read`, `locret/update`, `locret/stopReading` and `locret/plan`. */
export function serveReading(connection: Connection, workspace: Workspace): void {
  onLocretRequest(connection, 'locret/read', (params, context: RequestContext<'locret/read'>) => {
    const fields = paramsOf(params);
    const root = workspace.root(fields.text('root'));
    const fresh = fields.find('fresh', flag) ?? false;
    const stop = (): void => void root.stopReading(true);
    return withWorkDone(connection, context.workDoneToken, `Reading ${root.name}`, root, async () => {
      context.signal.addEventListener('abort', stop, { once: true });
      try {
        await root.open({ fresh });
      } finally {
        context.signal.removeEventListener('abort', stop);
      }
    });
  });

  onLocretRequest(connection, 'locret/update', (params, { workDoneToken, signal }) => {
    const root = workspace.root(paramsOf(params).text('root'));
    return withWorkDone(connection, workDoneToken, `Updating ${root.name}`, root, () => root.update(signal));
  });

  onLocretRequest(connection, 'locret/stopReading', async (params) => {
    const fields = paramsOf(params);
    const root = workspace.root(fields.text('root'));
    await root.stopReading(fields.find('keep', flag) ?? false);
    return root.status;
  });

  onLocretRequest(connection, 'locret/plan', async (params) => {
    const fields = paramsOf(params);
    const root = workspace.root(fields.text('root'));
    const model = fields.find('model', text);
    const planned = model === undefined ? (await root.plan()).planned : await root.planWith(model);
    const { bytes, notices } = planned.plan;
    return { model: planned.model.name, rows: planRows(planned.model, planned.plan), bytes, notices };
  });
}
