import type { Connection, ProgressToken } from 'vscode-languageserver';
import type { Work } from '../service/use-case.js';

const pollMilliseconds = 200;

/** Runs a task and tells how far it is as work-done progress. */
export async function withWorkDone<Result>(
  connection: Connection,
  token: ProgressToken,
  work: Work,
  task: () => Promise<Result>,
): Promise<Result> {
  const reporter = connection.window.attachWorkDoneProgress(token);
  reporter.begin(work.title, 0, undefined, true);
  const timer = setInterval(() => {
    const progress = work.progress();
    if (progress === undefined) return;
    const { message, share } = progress;
    if (share === undefined) reporter.report(message);
    else reporter.report(100 * share, message);
  }, pollMilliseconds);
  try {
    return await task();
  } finally {
    clearInterval(timer);
    reporter.done();
  }
}
