import type { CoverageResult } from '../../server/contract/protocol.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import type { CoverageFile, CoveragePart, ExtensionMessage } from './messages.js';

/** Files of one list that the page is sent. */
const mostListed = 5000;

function filesOf(result: CoverageResult, part: CoveragePart): readonly CoverageFile[] {
  switch (part) {
    case 'read':
      return result.read;
    case 'skipped':
      return result.skipped;
    case 'changed':
      return result.changed;
  }
}

/** The message that answers a page's question for a list of files. */
export async function coverageList(
  sidecar: Sidecar,
  question: { readonly request: string; readonly root: string; readonly part: CoveragePart },
): Promise<ExtensionMessage> {
  const { request, root, part } = question;
  try {
    const files = filesOf(await sidecar.request('locret/coverage', { root }), part);
    const listed = files.slice(0, mostListed);
    return { type: 'coverage', request, files: listed, more: files.length - listed.length };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: 'coverage', request, files: [], more: 0, error: message };
  }
}
